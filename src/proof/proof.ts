import type { OpenedHeader } from "../archive/batches.ts";
import { proveEntry, type LeafProof } from "../archive/proof.ts";
import { innerHash, type AnchoredCheckpoint } from "../chain/anchor.ts";
import { decodeBlockHeader } from "../chain/block-header.ts";
import { NotFinalYetError } from "../chain/errors.ts";
import type { HeadProof } from "../chain/head-proof.ts";
import { encodeObservation } from "../log/leaf.ts";
import type { BatchPlace } from "../log/sealed-batch.ts";

/**
 * Shows one header, or one reading under it, to whoever trusts the hash of one block: its single-use key, its way up to the gateway's head, and that
 * head in the state of the block.
 */
export interface Proof {
  readonly place: BatchPlace;
  /** The sealed header block. */
  readonly header: Uint8Array;
  /** Opens this header and nothing else. */
  readonly headerKey: Uint8Array;
  readonly entry: {
    readonly tag: Uint8Array;
    /** SHA-256 of the sealed batch block. */
    readonly batch: Uint8Array;
    readonly index: number;
    readonly path: readonly Uint8Array[];
  };
  readonly checkpoint: {
    readonly root: Uint8Array;
    readonly digest: Uint8Array;
    readonly size: number;
    /** The gateway's head before it. */
    readonly headBefore: Uint8Array;
    /** Inner hashes of the checkpoints after it up to the block, oldest first. */
    readonly later: readonly Uint8Array[];
  };
  readonly reading?: ReadingProof;
  readonly state: HeadProof;
}

export interface ReadingProof {
  /** Which chunk of the header. */
  readonly chunk: number;
  /** Which leaf of the chunk. */
  readonly index: number;
  readonly salt: Uint8Array;
  readonly observation: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** The checkpoint is not in the state that the proof would rest on. */
export class NotAnchoredYetError extends NotFinalYetError {
  override readonly code = "ERR_NOT_ANCHORED_YET";

  /** @param block - That of the checkpoint. */
  constructor(block: number) {
    super(
      block,
      "the block that the proof would rest on came before the checkpoint",
      `add --wait, until block ${block} of the checkpoint is final; or with --block name that one or a later one`,
    );
  }
}

/**
 * @param opened - Checked against chain, entry and signatures, under keys of its epoch: only so is the header key that of no other block.
 * @param history - The gateway's anchors, as far as the block of `state` and possibly on.
 * @throws NotAnchoredYetError
 */
export function prove(
  opened: OpenedHeader,
  headerKey: Uint8Array,
  history: readonly AnchoredCheckpoint[],
  state: HeadProof,
  reading?: { readonly chunk: number; readonly leaf: LeafProof },
): Proof {
  const { place, headerBlock, found } = opened;
  const { entry, index, path } = proveEntry(found);
  const { root, digest, size } = found.anchored;
  const { number } = decodeBlockHeader(state.block);
  if (found.anchored.block > number) throw new NotAnchoredYetError(found.anchored.block);
  const later = history.slice(found.anchored.index + 1).filter(({ block }) => block <= number);
  return {
    place,
    header: headerBlock,
    headerKey,
    entry: { tag: entry.tag, batch: entry.batch, index, path },
    checkpoint: { root, digest, size, headBefore: found.checkpoint.headBefore, later: later.map(innerHash) },
    ...(reading && { reading: readingOf(reading) }),
    state,
  };
}

function readingOf({ chunk, leaf }: { chunk: number; leaf: LeafProof }): ReadingProof {
  const { index, salt, observation, path } = leaf;
  return { chunk, index, salt, observation: encodeObservation(observation), path };
}
