import type { StreamDescriptor } from "../log/stream.ts";
import { encodeBatch } from "../log/batch.ts";
import { epochOf, MAX_ITEMS, type Chunk } from "../log/chunk.ts";
import { TooLargeError } from "../log/errors.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import { AROUND_CHUNK, AROUND_LETTER, type LateChunk } from "./letter.ts";

/** A chunk that is to be signed and sent. */
export interface PackedChunk extends LateChunk {
  readonly chunk: Chunk;
}

/**
 * Cuts late readings into chunks by epoch, and these into letters. The same readings give the same letters.
 *
 * @param room - Bytes that a letter may have.
 * @throws TooLargeError for a reading that fits no letter.
 */
export function packLate(
  { epochLength }: StreamDescriptor,
  clock: Clock,
  observations: readonly Observation[],
  seedOf: (number: number) => Uint8Array,
  room: number,
): PackedChunk[][] {
  const byEpoch = Map.groupBy(observations, ({ time }) => epochOf(time, epochLength));
  const chunks: PackedChunk[] = [];
  const cut = (epoch: number, some: readonly Observation[]): void => {
    const chunk: Chunk = { clock, seed: seedOf(chunks.length), observations: some };
    const encoded = encodeBatch([chunk], epoch * epochLength);
    if (AROUND_LETTER + AROUND_CHUNK + encoded.length <= room) return void chunks.push({ epoch, chunk, encoded });
    if (some.length === 1) throw new TooLargeError("a late reading is larger than a letter");
    cut(epoch, some.slice(0, some.length >> 1));
    cut(epoch, some.slice(some.length >> 1));
  };
  for (const epoch of [...byEpoch.keys()].sort((a, b) => a - b)) cut(epoch, byEpoch.get(epoch) ?? []);
  const letters: PackedChunk[][] = [];
  let size = Infinity;
  for (const one of chunks) {
    const takes = AROUND_CHUNK + one.encoded.length;
    if (size + takes > room || letters.at(-1)?.length === MAX_ITEMS) {
      letters.push([]);
      size = AROUND_LETTER;
    }
    letters.at(-1)?.push(one);
    size += takes;
  }
  return letters;
}
