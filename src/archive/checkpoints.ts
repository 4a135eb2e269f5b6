import { equal } from "../bytes/bytes.ts";
import { FIRST_HEAD, type AnchoredCheckpoint } from "../chain/anchor.ts";
import { MismatchError } from "../log/errors.ts";
import {
  checkpointRoot,
  decodeCheckpoint,
  joinPages,
  type Checkpoint,
  type CheckpointPlace,
} from "../log/checkpoint.ts";

/** Reads a verified block by digest; throws the store's typed errors. */
export type ReadBlock = (digest: Uint8Array) => Promise<Uint8Array>;

/** What links a checkpoint to the one before it. */
export interface Link {
  readonly index: number;
  readonly headBefore: Uint8Array;
  readonly previous: Uint8Array;
}

export const FIRST: Link = { index: 0, headBefore: FIRST_HEAD, previous: new Uint8Array(32) };

/** The link that follows on `anchored`. */
export const linkAfter = (link: Link, anchored: AnchoredCheckpoint): Link => ({
  index: link.index + 1,
  headBefore: anchored.head,
  previous: anchored.digest,
});

/**
 * Fetches the checkpoint that was anchored, with its pages, and checks it against chain, place and predecessor.
 *
 * @throws MalformedError, MismatchError (names what differs), or the store's errors.
 */
export async function readCheckpoint(
  anchored: AnchoredCheckpoint,
  link: Link,
  place: CheckpointPlace,
  read: ReadBlock,
): Promise<Checkpoint> {
  const body = decodeCheckpoint(await read(anchored.digest));
  const pages: Uint8Array[] = [];
  for (const digest of body.pages) pages.push(await read(digest));
  const checkpoint = joinPages(body, pages);

  if (checkpoint.chainId !== place.chainId || !equal(checkpoint.anchor, place.anchor))
    mismatch("chain or contract", link);
  if (!equal(checkpoint.gateway, place.gateway)) mismatch("gateway", link);
  if (checkpoint.index !== link.index) mismatch("index", link);
  if (!equal(checkpoint.headBefore, link.headBefore)) mismatch("head before it", link);
  if (!equal(checkpoint.previous, link.previous)) mismatch("predecessor", link);
  if (checkpoint.entries.length !== anchored.size) mismatch("size", link);
  if (!equal(checkpointRoot(checkpoint.entries), anchored.root)) mismatch("Merkle root", link);
  return checkpoint;
}

function mismatch(what: string, link: Link): never {
  throw new MismatchError(`checkpoint ${link.index}: its ${what} is not what was anchored`);
}
