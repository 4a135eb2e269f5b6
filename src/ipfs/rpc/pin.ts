import type { CID } from "multiformats/cid";
import type { NodeParts } from "../parts.ts";
import { cidFrom, flag, type Answer, type Command } from "./call.ts";
import { RpcError } from "./errors.ts";

const TYPES = ["all", "recursive", "direct", "indirect"];

interface Row {
  readonly cid: CID;
  readonly type: string;
  readonly name?: string | undefined;
}

export const add: Command = async ({ lock, pins }, { query }) => {
  const cids = pathArguments(query);
  const name = query.get("name") ?? undefined;
  if (name !== undefined && Buffer.byteLength(name) > 255) throw new RpcError("a pin name has at most 255 bytes", 400);
  for (const cid of cids) await lock.alone(() => pins.add(cid, flag(query, "recursive", true), name));
  return { json: { Pins: cids.map(String) } };
};

export const rm: Command = async ({ lock, pins }, { query }) => {
  const cids = pathArguments(query);
  for (const cid of cids) {
    const removed = await lock.alone(() => pins.remove(cid));
    if (!removed) throw new RpcError("not pinned or pinned indirectly");
  }
  return { json: { Pins: cids.map(String) } };
};

/** `pin/ls`: rows one a line with `stream`, else all in one `Keys` object. */
export const ls: Command = async (node, { query }) => {
  const type = query.get("type") ?? "all";
  if (!TYPES.includes(type)) throw new RpcError("type must be one of all, recursive, direct, indirect", 400);
  const asked = query.getAll("arg").map(cidFrom);
  const rows = asked.length === 0 ? listed(node, type) : named(node, type, asked);
  const withNames = flag(query, "names", false);
  const facts = ({ type, name }: Row): object => ({
    Type: type,
    ...(withNames && name !== undefined ? { Name: name } : {}),
  });
  if (flag(query, "stream", false)) return { lines: lines(rows, facts) };
  const keys: Record<string, object> = {};
  for await (const row of rows) keys[row.cid.toString()] = facts(row);
  return { json: { Keys: keys } } satisfies Answer;
};

async function* lines(rows: AsyncIterable<Row>, facts: (row: Row) => object): AsyncGenerator<unknown> {
  for await (const row of rows) yield { Cid: row.cid.toString(), ...facts(row) };
}

async function* listed({ pins }: NodeParts, type: string): AsyncGenerator<Row> {
  const shown = new Set<string>();
  const roots: CID[] = [];
  for await (const { cid, recursive, name } of pins.list()) {
    if (recursive) roots.push(cid);
    shown.add(cid.toString());
    const its = recursive ? "recursive" : "direct";
    if (type === "all" || type === its) yield { cid, type: its, name };
  }
  if (type !== "all" && type !== "indirect") return;
  for (const root of roots) {
    for await (const cid of pins.below(root)) {
      if (shown.has(cid.toString())) continue;
      shown.add(cid.toString());
      yield { cid, type: "indirect" };
    }
  }
}

async function* named({ pins }: NodeParts, type: string, asked: readonly CID[]): AsyncGenerator<Row> {
  for (const cid of asked) {
    const pin = await pins.find(cid);
    const its = pin === undefined ? "indirect" : pin.recursive ? "recursive" : "direct";
    const held = pin !== undefined || (await pins.holds(cid));
    if (!held || (type !== "all" && type !== its)) throw new RpcError(`path '${cid.toString()}' is not pinned`);
    yield { cid, type: its, name: pin?.name };
  }
}

function pathArguments(query: URLSearchParams): CID[] {
  const cids = query.getAll("arg").map(cidFrom);
  if (cids.length === 0) throw new RpcError("at least one argument expected", 400);
  return cids;
}
