import { utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { epochKey } from "../keys/cover.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { BATCH_CLASSES } from "../log/batch.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import { HEADER_SIZE } from "../log/header.ts";
import { sealBatch, type SealedBatch } from "../log/sealed-batch.ts";
import type { OpenedLetter } from "./letter.ts";

const MAGIC = utf8("medseal/filed/1\n");
const ZEROS = new Uint8Array(32);

/**
 * Seals late readings into their epochs, in a generation that nobody else writes: a batch for each chunk, by the counters of their signer.
 *
 * @param keys - Of that generation, with those of the data tree.
 * @param place - Of the gateway whose checkpoints are to hold them.
 */
export function fileInto(
  keys: GenerationKeys,
  place: CheckpointPlace,
  letters: readonly OpenedLetter[],
): SealedBatch[] {
  const inOrder = letters.toSorted((a, b) => (a.statement.counter < b.statement.counter ? -1 : 1));
  const chunks = inOrder.flatMap((letter) => letter.chunks.map((one, index) => ({ ...letter, ...one, index })));
  const sealed: SealedBatch[] = [];
  const numbers = new Map<number, number>();
  let previous: Uint8Array = ZEROS;
  for (const [sequence, { epoch, chunk, statement, index, root, encoded }] of chunks.entries()) {
    const n = numbers.get(epoch) ?? 0;
    numbers.set(epoch, n + 1);
    const last = !chunks.slice(sequence + 1).some((later) => later.epoch === epoch);
    const batch = sealBatch(
      [{ ...chunk, statement, index, root }],
      { data: epochKey(keys.data ?? [], epoch), audit: epochKey(keys.audit, epoch) },
      { ...place, stream: keys.stream.id, generation: keys.generation, epoch, n },
      keys.stream,
      { sequence, previous, continues: ZEROS, last, late: true },
      encoded,
    );
    previous = sha256(batch.header);
    sealed.push(batch);
  }
  return sealed;
}

/** Sealed batches as a file that a gateway takes into its next checkpoint; docs/formats.md, section 29. */
export function writeFiled(batches: readonly SealedBatch[]): Uint8Array {
  const writer = new ByteWriter().raw(MAGIC);
  for (const { entry, header, batch } of batches)
    writer.fixed(entry.tag, 32).fixed(header, HEADER_SIZE).sized(batch, 4);
  return writer.finish();
}

/** @throws MalformedError. */
export function readFiled(bytes: Uint8Array): SealedBatch[] {
  const reader = new ByteReader(bytes, "filed batches").expect(MAGIC, "name and version 1");
  const batches: SealedBatch[] = [];
  while (reader.left > 0) {
    const [tag, header, batch] = [reader.fixed(32), reader.fixed(HEADER_SIZE), reader.sized(4)];
    if (!(BATCH_CLASSES as readonly number[]).includes(batch.length)) reader.fail("no size of a batch");
    batches.push({ entry: { tag, header: sha256(header), batch: sha256(batch) }, header, batch });
  }
  return batches;
}

export const isFiled = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);
