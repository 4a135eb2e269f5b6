import { rename } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { takeLease } from "../../test/cli/live-ward.ts";
import type { RunningGateway } from "../../test/cli/running.ts";
import type { World } from "../../test/cli/world.ts";
import { callNode } from "../../src/chain/rpc.ts";

/** Milliseconds until the gateway has left a generation. */
export interface Switches {
  /** From a signed revocation in its spool. */
  readonly signed: readonly number[];
  /** From the first sight of the block that has a revocation. */
  readonly mined: readonly number[];
}

/** Between two looks. */
const LOOK = 5;
const PATIENCE = 120_000;
/** One end in so many comes by a transaction, which takes a process; the others are signed. */
const MINED = 6;

/**
 * Gives the gateway one more leave to write for each end that is to be measured, with a reader of its own, and signs all ends.
 *
 * @returns the files of the signed ends.
 */
export async function prepareEnds(world: World, gateway: RunningGateway, count: number): Promise<string[]> {
  const hour = `${new Date().toISOString().slice(0, 14)}00:00Z`;
  const terms = `--data ${hour}.. --until 7d --round --yes --as Ann`;
  const numbers = Array.from({ length: count }, (_, i) => i);
  const readers: string[] = [];
  for (const i of numbers) {
    await world.run(`stream open temperature-${i} --code 8310-5 --unit Cel --epoch 1h --as Ann`);
    await world.run(`gateway authorize --to Gateway --stream temperature-${i} --out gw-${i}.grant ${terms}`);
    const { id } = (await world.json(
      `consent grant --to Lee --stream temperature-${i} --out lee-${i}.grant ${terms}`,
    )) as { id: string };
    readers.push(id);
  }
  await world.run("fund --as Lee");
  await world.run(`relay ${numbers.map((i) => `gw-${i}.grant`).join(" ")} --wait --as Lee`);
  await world.run("gateway lease --to Gateway --out more.lease --as Ann");
  await takeLease(world, gateway, "more.lease");
  for (const i of numbers) await world.run(`consent revoke --id ${readers[i]} --out lee-${i}.end --yes --as Ann`);
  return numbers.map((i) => `lee-${i}.end`);
}

/**
 * Ends one consent after the other, with a signature in the spool or with a transaction.
 *
 * @param apart - Milliseconds from one to the next, if the switches leave them.
 */
export async function measureSwitches(
  world: World,
  gateway: RunningGateway,
  ends: readonly string[],
  apart: number,
): Promise<Switches> {
  const times = { signed: [] as number[], mined: [] as number[] };
  const first = performance.now();
  for (const [i, file] of ends.entries()) {
    await pause(Math.max(0, first + i * apart - performance.now()));
    const left = gateway.log("consent.ended").length;
    const switched = async (): Promise<number> => {
      for (const over = performance.now() + PATIENCE; gateway.log("consent.ended").length === left; await pause(LOOK))
        if (performance.now() > over)
          throw new Error(`the gateway did not heed the end of a consent: ${gateway.stderr.slice(-1000)}`);
      return performance.now();
    };
    if ((i + 1) % MINED !== 0) {
      const began = performance.now();
      await rename(world.path(file), gateway.spool(file));
      times.signed.push((await switched()) - began);
    } else {
      const blocks = new BlockWatch(world.env["MEDSEAL_RPC"] as string);
      const [{ block }, at] = await Promise.all([
        world.json(`relay ${file} --as Lee`) as Promise<{ block: number }>,
        switched(),
      ]);
      times.mined.push(at - (await blocks.stop(block)));
    }
  }
  return times;
}

/** When each block was first seen. */
class BlockWatch {
  readonly #seen = new Map<number, number>();
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(rpc: string) {
    this.#running = this.#look(rpc);
  }

  /** @returns when `block`, or one behind it, was there first. */
  async stop(block: number): Promise<number> {
    this.#stopped = true;
    await this.#running;
    const later = [...this.#seen].filter(([number]) => number >= block).map(([, time]) => time);
    return Math.min(...later);
  }

  async #look(rpc: string): Promise<void> {
    for (; !this.#stopped; await pause(LOOK)) {
      const number = Number(await callNode(rpc, "eth_blockNumber"));
      if (!this.#seen.has(number)) this.#seen.set(number, performance.now());
    }
  }
}
