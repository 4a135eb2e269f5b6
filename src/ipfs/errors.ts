import { EXIT, MedSealError } from "../errors.ts";

/** What went wrong with one block; `cid` is public and may be shown. */
abstract class BlockError extends MedSealError {
  readonly cid: string;

  constructor(cid: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options);
    this.cid = cid;
  }
}

/** The store answered, and it does not hold the block. */
export class BlockMissingError extends BlockError {
  readonly code = "ERR_BLOCK_MISSING";

  constructor(cid: string, options: { cause?: unknown } = {}) {
    super(cid, `block ${cid} is not in the store`, {
      ...options,
      hint: "fetch it from a replica, or look whether its checkpoint lists it as erased",
    });
  }
}

/** The store answered with bytes that do not hash to the CID. */
export class BlockAlteredError extends BlockError {
  readonly code = "ERR_BLOCK_ALTERED";
  /** Length of the bytes found; `undefined` when the store noticed by itself and gave none. */
  readonly found: number | undefined;
  /** SHA-256 of the bytes found: it tells a swapped block from an altered one. */
  readonly foundDigest: Uint8Array | undefined;

  constructor(cid: string, found: number | undefined, options: { cause?: unknown; foundDigest?: Uint8Array } = {}) {
    const what = found === undefined ? "" : ` (${found} bytes found)`;
    super(cid, `block ${cid} was altered: its bytes do not hash to its CID${what}`, {
      ...options,
      hint: "put the block again from the journal or a replica",
    });
    this.found = found;
    this.foundDigest = options.foundDigest;
  }
}

/** A pinset still links to the block, so it cannot be removed. */
export class BlockPinnedError extends BlockError {
  readonly code = "ERR_BLOCK_PINNED";

  constructor(cid: string) {
    super(cid, `block ${cid} is pinned`, { hint: "unpin the pinsets that link to it first" });
  }
}

/** The block is larger than what IPFS nodes exchange. */
export class BlockTooBigError extends BlockError {
  readonly code = "ERR_BLOCK_TOO_BIG";
  readonly size: number;

  constructor(cid: string, size: number, limit: number) {
    super(cid, `block of ${size} bytes is above the limit of ${limit}`, { hint: "split the batch" });
    this.size = size;
  }
}

/**
 * The store gave no answer that says anything about the block: refused, timed out, failed, or not an IPFS store.
 * An outage: never evidence that a block is missing, altered or fine.
 */
export class StoreUnavailableError extends MedSealError {
  readonly code = "ERR_STORE_UNAVAILABLE";
  override readonly exit = EXIT.unavailable;
  /** The block asked for, when one was. */
  readonly cid: string | undefined;

  constructor(reason: string, options: { cid?: string; cause?: unknown; hint?: string } = {}) {
    super(`the IPFS store is unavailable: ${reason}`, {
      cause: options.cause,
      hint:
        options.hint ?? "see that the node runs and that MEDSEAL_IPFS, when set, names its RPC address, then try again",
    });
    this.cid = options.cid;
  }
}
