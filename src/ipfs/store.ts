import type { Pinset } from "./pinset.ts";

/**
 * What one block may hold, in bytes. Nodes exchange no larger ones: https://specs.ipfs.tech/bitswap-protocol, "Block
 * Sizes".
 */
export const MAX_BLOCK = 2 * 1024 * 1024;

/** A pin as the store lists it. */
export interface Pin {
  readonly cid: string;
  readonly name: string | undefined;
}

/**
 * Where sealed blocks are kept. Blocks are raw, and known by their SHA-256 digest, which is the digest in their CID.
 *
 * Every method throws `StoreUnavailableError` when the store gives no usable answer; that says nothing about the blocks.
 */
export interface BlockStore {
  /**
   * Stores a block durably, reads it back and hashes it. Putting it again does no harm, and mends a damaged copy.
   *
   * @returns its SHA-256 digest, 32 bytes.
   * @throws BlockTooBigError above `MAX_BLOCK`; BlockAlteredError or BlockMissingError when it does not read back.
   */
  put(block: Uint8Array): Promise<Uint8Array>;

  /** `put` for many, several at a time. @returns the digests in the order of the blocks. */
  putMany(blocks: readonly Uint8Array[]): Promise<Uint8Array[]>;

  /**
   * The block with this digest, which its bytes were checked against.
   *
   * @throws BlockMissingError, BlockAlteredError.
   */
  get(digest: Uint8Array): Promise<Uint8Array>;

  /** Whether the store says that it holds the block. Its bytes are not looked at: `get` does that. */
  has(digest: Uint8Array): Promise<boolean>;

  /**
   * Takes blocks out of this store for good. Absent ones are passed over.
   *
   * Warning: whoever copied a block before still has it.
   *
   * @throws BlockPinnedError when a pin still holds one; those before it are gone.
   */
  remove(digests: readonly Uint8Array[]): Promise<void>;

  /**
   * Stores the pinset and pins it with every block it links to. Pinning it again does no harm.
   *
   * @param name - Shown in `pins`; public, so it says nothing about people.
   * @returns the pinset's CID: the same for the same pinset, in every store.
   * @throws BlockMissingError when the store lacks a block it links to.
   */
  putPinset(pinset: Pinset, name?: string): Promise<string>;

  /** @throws BlockMissingError, BlockAlteredError; MalformedError when the block is no pinset. */
  getPinset(cid: string): Promise<Pinset>;

  /** Lets go of a pinset; its blocks stay until they are removed or collected. One not pinned is passed over. */
  unpin(cid: string): Promise<void>;

  /** What is pinned recursively, in no order. */
  pins(): Promise<Pin[]>;

  /** Ends what this object started, such as an embedded node. A store reached by its address runs on. */
  close(): Promise<void>;
}
