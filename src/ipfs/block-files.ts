import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { compare } from "../bytes/bytes.ts";
import { sha256Into } from "../bytes/hash.ts";
import { isAbsent } from "../files/durable.ts";
import { fileOf, isBlockFolder, READ } from "./blocks.ts";
import { cidOf, DIGEST_SIZE } from "./cid.ts";
import { BlockAlteredError, BlockMissingError, StoreUnavailableError } from "./errors.ts";
import { MAX_BLOCK } from "./store.ts";

/** Milliseconds: file systems note times by ticks of a hundredth of a second, some by whole seconds. */
const JUST = 2_000;
/** Bytes of what lies in place of a block and is still hashed, to tell whose bytes they are. */
const HASHED = 2 ** 26;

/** What no program can leave as it was while it changes a file: above all the time of its last change, which the system sets. */
export interface FileMark {
  /** Bytes. */
  readonly size: number;
  readonly text: string;
}

/**
 * Reads the block files of an embedded node, without the node: each in one piece into one buffer, and at once. An audit looks at
 * every block; asking for each of them by RPC takes twenty times as long.
 */
export class BlockFiles {
  readonly folder: string;
  /** One byte more than a block has, so that a longer file shows. */
  readonly #buffer = Buffer.allocUnsafeSlow(MAX_BLOCK + 1);
  readonly #digest = Buffer.alloc(DIGEST_SIZE);

  /** @param folder - As `FileBlockstore` has it. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws StoreUnavailableError unless the folder is there. */
  check(): void {
    if (!isBlockFolder(this.folder)) throw new StoreUnavailableError("there are no blocks in this folder");
  }

  /**
   * Reads the block and hashes it.
   *
   * @returns its bytes, until the next call.
   * @throws BlockMissingError, BlockAlteredError, StoreUnavailableError.
   */
  look(digest: Uint8Array): Uint8Array {
    const length = this.#load(digest);
    const bytes = this.#buffer.subarray(0, length);
    if (length > MAX_BLOCK) throw this.#altered(digest);
    sha256Into(this.#digest, 0, bytes);
    // Digests of blocks are public, so the time that comparing takes tells nothing.
    if (compare(this.#digest, digest) !== 0) throw this.#altered(digest);
    return bytes;
  }

  /** A copy of the block. @throws as `look`. */
  read(digest: Uint8Array): Uint8Array {
    return new Uint8Array(this.look(digest));
  }

  /** The state of the block's file; undefined when there is none, or when it has just changed and might change again in the same tick. @throws StoreUnavailableError. */
  mark(digest: Uint8Array): FileMark | undefined {
    try {
      const found = statSync(fileOf(this.folder, digest), { bigint: true, throwIfNoEntry: false });
      if (found === undefined || Date.now() - Number(found.ctimeMs) < JUST) return undefined;
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      return { size: Number(size), text: [dev, ino, size, mtimeNs, ctimeNs].join(" ") };
    } catch (error) {
      throw this.#unavailable(digest, error);
    }
  }

  #load(digest: Uint8Array): number {
    let file: number;
    try {
      file = openSync(fileOf(this.folder, digest), READ);
    } catch (error) {
      if (isAbsent(error) && isBlockFolder(this.folder)) throw new BlockMissingError(cidOf(digest));
      throw this.#unavailable(digest, error);
    }
    try {
      return readSync(file, this.#buffer);
    } catch (error) {
      throw this.#unavailable(digest, error);
    } finally {
      closeSync(file);
    }
  }

  /** Reads it again in pieces: one read may have given less than the file has, and what is no block may be of any length, or without an end. */
  #altered(digest: Uint8Array): Error {
    const hash = createHash("sha256");
    let length = 0;
    try {
      const file = openSync(fileOf(this.folder, digest), READ);
      try {
        const found = fstatSync(file);
        if (!found.isFile()) return this.#unavailable(digest);
        if (found.size > HASHED) return new BlockAlteredError(cidOf(digest), found.size);
        for (let read = -1; (read = readSync(file, this.#buffer)) > 0;) {
          length += read;
          if (length > HASHED) return new BlockAlteredError(cidOf(digest), length);
          hash.update(this.#buffer.subarray(0, read));
        }
      } finally {
        closeSync(file);
      }
    } catch (error) {
      return this.#unavailable(digest, error);
    }
    const foundDigest = new Uint8Array(hash.digest());
    if (compare(foundDigest, digest) === 0)
      return new StoreUnavailableError("a block changed while it was read", { cid: cidOf(digest) });
    return new BlockAlteredError(cidOf(digest), length, { foundDigest });
  }

  #unavailable(digest: Uint8Array, cause?: unknown): StoreUnavailableError {
    const cid = cidOf(digest);
    return new StoreUnavailableError(`the file of block ${cid} cannot be read`, {
      ...{ cid, cause },
      hint: "look at the folder and its disk, or copy the block there from a replica",
    });
  }
}
