import { fromHex } from "../bytes/bytes.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { epochKeys } from "../keys/cover.ts";
import { tagOf } from "../keys/epoch.ts";
import type { Chunk } from "../log/chunk.ts";
import type { Header } from "../log/header.ts";
import { openBatch, openHeader, type BatchPlace } from "../log/sealed-batch.ts";
import type { Archive, Found } from "./archive.ts";
import type { ReadBlock } from "./checkpoints.ts";

/** One batch, opened as far as the keys at hand allow and checked against chain, header and signatures. */
export interface OpenedBatch {
  readonly place: BatchPlace;
  readonly header: Header;
  /** Bytes of the sealed header, for proofs. */
  readonly headerBlock: Uint8Array;
  readonly found: Found;
  /** Undefined without keys of the data tree. */
  readonly chunks: readonly Chunk[] | undefined;
}

/**
 * The batches of a generation in epochs `from` to `to - 1`, by ascending epoch and number. Needs keys for all of these epochs.
 *
 * @throws OutsideCoverError for an epoch without keys; MismatchError and the seal's errors for a batch that is not what was anchored.
 */
export async function* openBatches(
  keys: GenerationKeys,
  archive: Archive,
  from: number,
  to: number,
  read: ReadBlock,
): AsyncGenerator<OpenedBatch> {
  const auditKey = epochKeys(keys.audit);
  const dataKey = keys.data && epochKeys(keys.data);
  const { chainId, anchor } = archive.place;
  const gateway = fromHex(keys.write.consent.grantee);
  for (let epoch = from; epoch < to; epoch++) {
    const audit = auditKey(epoch);
    for (let n = 0; ; n++) {
      const found = archive.find(tagOf(audit, n));
      if (!found) break;
      const place = { chainId, anchor, gateway, stream: keys.stream.id, generation: keys.generation, epoch, n };
      const headerBlock = await read(found.entry.header);
      const header = openHeader(headerBlock, audit, place, found.entry);
      const chunks =
        dataKey && openBatch(await read(found.entry.batch), dataKey(epoch), place, header, keys.stream.epochLength);
      yield { place, header, headerBlock, found, chunks };
    }
  }
}
