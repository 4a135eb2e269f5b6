import type { ReadBlock } from "../archive/checkpoints.ts";
import type { BlockFiles } from "../ipfs/block-files.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { parallel } from "../ipfs/parallel.ts";

/** What is wrong with a block of which the store has said all that there is to say. */
export type DamagedError = BlockMissingError | BlockAlteredError;

export const isDamage = (error: unknown): error is DamagedError =>
  error instanceof BlockMissingError || error instanceof BlockAlteredError;

/**
 * Looks at many blocks: of each that hashes to its digest the number of its bytes, of each other what is wrong with it.
 *
 * @throws the store's outages.
 */
export type LookAtBlocks = (digests: readonly Uint8Array[]) => Promise<(number | DamagedError)[]>;

/** Through a store that is asked block by block. @param concurrency - Blocks asked for at a time. */
export const byReading =
  (read: ReadBlock, concurrency = 8): LookAtBlocks =>
  (digests) =>
    parallel(digests, concurrency, async (digest) => {
      try {
        return (await read(digest)).length;
      } catch (error) {
        if (isDamage(error)) return error;
        throw error;
      }
    });

/** From the files of a folder, one after the other. */
export const inFiles =
  (files: BlockFiles): LookAtBlocks =>
  async (digests) =>
    Promise.resolve(digests.map((digest) => lookAt(files, digest)));

/** @throws StoreUnavailableError. */
export function lookAt(files: BlockFiles, digest: Uint8Array): number | DamagedError {
  try {
    return files.look(digest).length;
  } catch (error) {
    if (isDamage(error)) return error;
    throw error;
  }
}
