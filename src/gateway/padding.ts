import { compare, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { keyedRandom } from "../bytes/random.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { emptyEnvelope } from "../envelope/envelope.ts";
import type { KemId } from "../seal/hpke.ts";
import { BATCH_CLASSES } from "../log/batch.ts";
import type { Entry, MailRow } from "../log/checkpoint.ts";
import { HEADER_SIZE } from "../log/header.ts";
import { emptyRow } from "../log/mail.ts";

/** What a checkpoint is filled up with, so that its size says nothing: real blocks that open for nobody. */
export interface Padding {
  readonly entries: readonly Entry[];
  readonly mail: readonly MailRow[];
  readonly blocks: readonly Uint8Array[];
}

/**
 * Fills a checkpoint up to its constant number of entries and mail rows. Follows from the gateway's padding key and the checkpoint's
 * index, so a retry gives the same blocks.
 *
 * @param classes - Indexes in `BATCH_CLASSES` that the gateway's streams start at; padding takes them by turns.
 */
export function padCheckpoint(
  paddingKey: Uint8Array,
  index: number,
  entries: number,
  rows: number,
  classes: readonly number[],
  kem: KemId,
): Padding {
  const rand = keyedRandom(paddingKey, new ByteWriter().raw(utf8("medseal/v1/padding")).uint(index, 6).finish());
  const blocks: Uint8Array[] = [];
  const put = (block: Uint8Array): Uint8Array => {
    blocks.push(block);
    return sha256(block);
  };
  const filled = Array.from({ length: entries }, (_, i) => {
    const size = BATCH_CLASSES[classes[i % classes.length] ?? 0] as number;
    return { tag: rand(32), header: put(rand(HEADER_SIZE)), batch: put(rand(size)) };
  });
  const mail = Array.from({ length: rows }, () => emptyRow(put(emptyEnvelope(kem, rand)), rand));
  return { entries: filled, mail, blocks };
}

/** Entries and rows in an order that says nothing of where they came from. */
export const inOrder = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => compare(a.tag, b.tag));

export const rowsInOrder = (rows: readonly MailRow[]): MailRow[] =>
  [...rows].sort((a, b) => compare(a.envelope, b.envelope));
