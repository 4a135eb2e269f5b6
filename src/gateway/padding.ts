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
 * Fills a checkpoint up to its constant number of entries and mail rows. Follows from the gateway's secret and the checkpoint's
 * index, so a retry gives the same blocks.
 *
 * Each size class has a constant share of the entries, own and padding together, so that sizes do not tell how many of them are own. Only
 * more own batches of a class than its share, or one that outgrew the class of its stream, change that.
 *
 * @param capacity - Entries of the checkpoint.
 * @param own - Sizes of the batch blocks that are not padding.
 * @param classes - Indexes in `BATCH_CLASSES` that the gateway's streams start at; the shares follow from taking them by turns.
 */
export function padCheckpoint(
  secret: Uint8Array,
  index: number,
  capacity: number,
  own: readonly number[],
  rows: number,
  classes: readonly number[],
  kem: KemId,
): Padding {
  const rand = keyedRandom(secret, new ByteWriter().raw(utf8("medseal/v1/padding")).uint(index, 6).finish());
  const blocks: Uint8Array[] = [];
  const put = (block: Uint8Array): Uint8Array => {
    blocks.push(block);
    return sha256(block);
  };
  const sizes = Array.from({ length: capacity }, (_, i) => BATCH_CLASSES[classes[i % classes.length] ?? 0] as number);
  // Those with a share of their own first; the others take what is left at the end.
  const strays = own.filter((size) => !take(sizes, size));
  sizes.splice(sizes.length - strays.length);
  const filled = sizes.map((size) => ({ tag: rand(32), header: put(rand(HEADER_SIZE)), batch: put(rand(size)) }));
  const mail: MailRow[] = [];
  for (let i = 0; i < rows; i++) mail.push(emptyRow(put(emptyEnvelope(kem, rand)), rand));
  return { entries: filled, mail, blocks };
}

/** Takes one place of this size out of the list, if there is one. */
function take(sizes: number[], size: number): boolean {
  const at = sizes.lastIndexOf(size);
  if (at >= 0) sizes.splice(at, 1);
  return at >= 0;
}

/** Entries and rows in an order that says nothing of where they came from. */
export const inTagOrder = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => compare(a.tag, b.tag));

export const rowsInOrder = (rows: readonly MailRow[]): MailRow[] =>
  [...rows].sort((a, b) => compare(a.envelope, b.envelope));
