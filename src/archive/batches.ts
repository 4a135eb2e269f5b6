import { fromHex } from "../bytes/bytes.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { epochKeys } from "../keys/cover.ts";
import { batchKey, headerKey, tagOf } from "../keys/epoch.ts";
import type { Chunk } from "../log/chunk.ts";
import type { Header } from "../log/header.ts";
import { checkBatch as checkSealedBatch, openBatch, openHeader, type BatchPlace } from "../log/sealed-batch.ts";
import { messageKey } from "../seal/seal.ts";
import type { Archive, Found } from "./archive.ts";
import type { ReadBlock } from "./checkpoints.ts";

/** The header of one batch, opened and checked against chain and entry. */
export interface OpenedHeader {
  readonly place: BatchPlace;
  readonly header: Header;
  /** Bytes of the sealed header, for proofs. */
  readonly headerBlock: Uint8Array;
  readonly found: Found;
}

/** One batch, opened as far as the keys at hand allow and checked against chain, header and signatures. */
export interface OpenedBatch extends OpenedHeader {
  /** Undefined without keys of the data tree. */
  readonly chunks: readonly Chunk[] | undefined;
}

/** Opens what is of one generation. Errors: OutsideCoverError for an epoch without keys, MismatchError and the seal's for what is not as anchored. */
export interface GenerationReader {
  /** Where batch `n` of an epoch was anchored, if it was. */
  find(epoch: number, n: number): Found | undefined;
  header(epoch: number, n: number, found: Found): Promise<OpenedHeader>;
  /** Without keys of the data tree undefined: the block is there, as anchored, and nothing is known of what it says. */
  chunks(opened: OpenedHeader): Promise<readonly Chunk[] | undefined>;
  /** The checks of `chunks` without the readings. @returns false without keys of the data tree. */
  check(opened: OpenedHeader): Promise<boolean>;
  /** The key that opens this header and no other block. Only of one that was opened: else its salt may be that of another one. */
  keyOfHeader(opened: OpenedHeader): Uint8Array;
  /** The key that opens this batch and no other block, undefined without keys of the data tree. Only of one that was opened. */
  keyOfBatch(opened: OpenedHeader, batch: Uint8Array): Uint8Array | undefined;
}

/** A batch to be checked against its header, with all that it takes: it goes to another thread as it is. */
export interface BatchTask {
  /** Of its block. */
  readonly digest: Uint8Array;
  readonly dataEpochKey: Uint8Array;
  readonly place: BatchPlace;
  readonly header: Header;
  /** Of the header's block. */
  readonly headerDigest: Uint8Array;
  readonly epochLength: number;
}

/** @throws as `GenerationReader.chunks`. */
export type CheckBatch = (task: BatchTask) => Promise<void>;

/** @throws as `GenerationReader.chunks`. */
export const checkBatch = (block: Uint8Array, { dataEpochKey, place, header, epochLength }: BatchTask): void =>
  checkSealedBatch(block, dataEpochKey, place, header, epochLength);

/** @param check - How batches are checked whose readings nobody asks for; by `read` without it. */
export function generationReader(
  keys: GenerationKeys,
  archive: Archive,
  read: ReadBlock,
  check: CheckBatch = async (task) => checkBatch(await read(task.digest), task),
): GenerationReader {
  const auditKey = epochKeys(keys.audit);
  const dataKey = keys.data && epochKeys(keys.data);
  const { chainId, anchor } = archive.place;
  const gateway = fromHex(keys.write.consent.grantee);
  return {
    find: (epoch, n) => archive.find(tagOf(auditKey(epoch), n)),
    async header(epoch, n, found) {
      const place = { chainId, anchor, gateway, stream: keys.stream.id, generation: keys.generation, epoch, n };
      const headerBlock = await read(found.entry.header);
      return { place, header: openHeader(headerBlock, auditKey(epoch), place, found.entry), headerBlock, found };
    },
    async chunks({ place, header, found }) {
      const block = await read(found.entry.batch);
      return dataKey && openBatch(block, dataKey(place.epoch), place, header, keys.stream.epochLength);
    },
    async check({ place, header, found: { entry } }) {
      if (!dataKey) {
        await read(entry.batch);
        return false;
      }
      const { epochLength } = keys.stream;
      const dataEpochKey = dataKey(place.epoch);
      await check({ digest: entry.batch, dataEpochKey, place, header, headerDigest: entry.header, epochLength });
      return true;
    },
    keyOfHeader: ({ place, headerBlock }) => messageKey(headerKey(auditKey(place.epoch)), headerBlock),
    keyOfBatch: ({ place }, batch) => dataKey && messageKey(batchKey(dataKey(place.epoch)), batch),
  };
}

/**
 * The batches of a generation in epochs `from` to `to - 1`, by ascending epoch and number. Needs keys for all of these epochs.
 *
 * @throws as `generationReader`, at the first batch that is not as it should be.
 */
export async function* openBatches(
  keys: GenerationKeys,
  archive: Archive,
  from: number,
  to: number,
  read: ReadBlock,
): AsyncGenerator<OpenedBatch> {
  const reader = generationReader(keys, archive, read);
  for (let epoch = from; epoch < to; epoch++) {
    for (let n = 0; ; n++) {
      const found = reader.find(epoch, n);
      if (!found) break;
      const opened = await reader.header(epoch, n, found);
      yield { ...opened, chunks: await reader.chunks(opened) };
    }
  }
}
