import type { Hex } from "../consent/consent.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { puncture, type Cover, type EpochWindow } from "../keys/cover.ts";
import { nameOf } from "./leases.ts";
import { withEpoch } from "./spans.ts";
import type { GatewayState } from "./state.ts";

/** How long a gateway keeps the keys of an epoch that is over, in seconds, for readings that come late. */
export const LATENESS_BOUND = 72 * 3600;

/** The oldest epoch of a stream of which readings wait unsealed; Infinity when none do. */
export type OldestOpen = (write: Hex, stream: Uint8Array) => number;

/**
 * Forgets the keys of epochs that are over for longer than the lateness bound, and of epochs from before the lease, that is of imports,
 * once they were said to be complete and are anchored for good: whoever takes the gateway's disk opens neither. The keys of idle epochs from
 * before the lease stay. To be called inside a write of the journal.
 *
 * @param time - Unix seconds.
 * @param bound - Seconds.
 */
export function forgetOld(state: GatewayState, time: number, bound: number, oldestOpen: OldestOpen): void {
  const written = writtenEpochs(state);
  for (const [write, lease] of state.leases.entries()) {
    const keys = lease.keys.map((generation) => {
      const name = nameOf(write as Hex, generation);
      const epochs = written.get(name) ?? [];
      if (!generation.data?.length) return generation;
      written.delete(name);
      const { stream } = generation;
      const issued = Math.floor(lease.issuedAt / stream.epochLength);
      const open = oldestOpen(write as Hex, stream.id);
      const over = Math.min(Math.floor((time - bound) / stream.epochLength), open);
      const windows: EpochWindow[] = over > issued ? [{ from: issued, to: over }] : [];
      for (const { row, epoch, done, isIdle } of epochs) {
        const imported = done && epoch < Math.min(issued, open);
        // In an idle one there is nothing to open, and another recording may have readings of it.
        if (imported && isIdle) noteIdle(state, name, epoch);
        else if (imported) windows.push({ from: epoch, to: epoch + 1 });
        if (imported || (done && epoch < over)) state.epochs.delete(row);
      }
      return without(generation, windows);
    });
    if (keys.some((generation, i) => generation !== lease.keys[i])) state.leases.set(write, { ...lease, keys });
  }
  // What is left belongs to generations whose keys are gone altogether.
  for (const epochs of written.values()) for (const { row } of epochs) state.epochs.delete(row);
}

interface WrittenEpoch {
  /** Its name in the table. */
  readonly row: string;
  readonly epoch: number;
  /** It was said to be complete, and all its batches are anchored for good. */
  readonly done: boolean;
  /** It has no readings. */
  readonly isIdle: boolean;
}

function noteIdle(state: GatewayState, generation: string, epoch: number): void {
  const writer = state.writers.get(generation);
  if (writer) state.writers.set(generation, { ...writer, idle: withEpoch(writer.idle ?? [], epoch) });
}

/** By generation. */
function writtenEpochs(state: GatewayState): Map<string, WrittenEpoch[]> {
  const found = new Map<string, WrittenEpoch[]>();
  for (const [row, { n, closed, final, idle = false }] of state.epochs.entries()) {
    const at = row.lastIndexOf("/");
    const generation = row.slice(0, at);
    const epochs = found.get(generation) ?? [];
    found.set(generation, epochs);
    epochs.push({ row, epoch: Number(row.slice(at + 1)), done: closed && final >= n, isIdle: idle });
  }
  return found;
}

function without(keys: GenerationKeys, windows: readonly EpochWindow[]): GenerationKeys {
  if (windows.length === 0) return keys;
  const cut = (cover: Cover): Cover => windows.reduce((left, { from, to }) => puncture(left, from, to), cover);
  return { ...keys, data: keys.data && cut(keys.data), audit: cut(keys.audit) };
}
