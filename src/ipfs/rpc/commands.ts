import * as about from "./about.ts";
import * as block from "./block.ts";
import type { Command } from "./call.ts";
import * as dag from "./dag.ts";
import * as pin from "./pin.ts";
import * as repo from "./repo.ts";

/** The part of the Kubo RPC that this node answers, by path below `/api/v0/`. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["version", about.version],
  ["id", about.id],
  ["block/put", block.put],
  ["block/get", block.get],
  ["block/stat", block.stat],
  ["block/rm", block.rm],
  ["pin/add", pin.add],
  ["pin/rm", pin.rm],
  ["pin/ls", pin.ls],
  ["dag/put", dag.put],
  ["dag/get", dag.get],
  ["repo/gc", repo.gc],
  ["repo/stat", repo.stat],
  ["repo/version", repo.version],
]);
