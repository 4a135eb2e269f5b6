import { chunkThatFits, CHUNK_LEAVES, type Cut, type SeedOf } from "../gateway/ingest.ts";
import type { ChunkThreads } from "../gateway/threads.ts";
import { epochOf, factsOf } from "../log/chunk.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import type { Observation } from "../observation/observation.ts";

/** Epochs closed in one go at the most: after a long silence the rest waits for the next cuts. */
const CLOSED_AT_ONCE = 1000;
/** Readings of one step. */
const STEP = 256;

/** What is cut of one stream of a live feed. */
export interface LiveRows {
  readonly stream: StreamDescriptor;
  /** In the order of the device's counter. */
  readonly observations: readonly Observation[];
  /** The first epoch that was not said to be complete, undefined before the first reading. */
  readonly from: number | undefined;
  /** Epochs before this one are over. */
  readonly over: number;
}

/**
 * Cuts what came of a live stream into chunks. An epoch that is over is said to be complete, with an empty chunk when nothing came of it;
 * what comes for it later is late. The same rows give the same cuts.
 *
 * @param rest - Called between steps, so that what comes meanwhile need not wait for all of them.
 * @param threads - Make what takes long of the larger chunks.
 * @returns the cuts, and the first epoch that is not yet said to be complete.
 */
export async function cutLive(
  rows: LiveRows,
  seedOf: SeedOf,
  rest: () => Promise<void>,
  threads?: ChunkThreads,
): Promise<{ readonly cuts: readonly Cut[]; readonly from: number }> {
  const { stream, over } = rows;
  const byEpoch = new Map<number, Observation[]>();
  for (const [i, observation] of rows.observations.entries()) {
    if (i % STEP === 0) await rest();
    const epoch = epochOf(observation.time, stream.epochLength);
    const mine = byEpoch.get(epoch);
    if (mine) mine.push(observation);
    else byEpoch.set(epoch, [observation]);
  }
  const epochs = [...byEpoch.keys()].sort((a, b) => a - b);
  const from = rows.from ?? Math.min(over, epochs[0] ?? over);
  const end = Math.max(from, Math.min(over, from + CLOSED_AT_ONCE));
  const cuts: Cut[] = [];
  const chunk = async (epoch: number, observations: readonly Observation[], last: boolean): Promise<void> => {
    const facts = observations.length <= CHUNK_LEAVES ? factsOf(observations) : undefined;
    await rest();
    const whole = { clock: { kind: "source" } as const, seed: seedOf(cuts.length), observations };
    const fits = facts && chunkThatFits({ ...whole, facts }, epoch * stream.epochLength, threads);
    if (fits) return void cuts.push({ epoch, chunk: fits, last });
    const half = observations.length >> 1;
    await chunk(epoch, observations.slice(0, half), false);
    await chunk(epoch, observations.slice(half), last);
  };
  const closing = Array.from({ length: end - from }, (_, i) => from + i);
  for (const epoch of [...new Set([...epochs, ...closing])].sort((a, b) => a - b)) {
    const observations = byEpoch.get(epoch);
    const last = epoch < end;
    if (observations) await chunk(epoch, observations, last);
    else cuts.push({ epoch, chunk: undefined, last });
  }
  return { cuts, from: end };
}
