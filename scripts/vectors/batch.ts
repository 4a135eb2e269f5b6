import { constants, zstdCompressSync } from "node:zlib";
import { concat } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { coverOf, epochKey } from "../../src/keys/cover.ts";
import { encodeBatch } from "../../src/log/batch.ts";
import { chunkRoot, type Chunk } from "../../src/log/chunk.ts";
import { openHeader, sealBatch, type BatchPlace, type SealedBatch } from "../../src/log/sealed-batch.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { insideCases, wrap } from "./batch-inside.ts";
import { device, EPOCH, LENGTH, observations, place, START, stream } from "./samples.ts";
import { bad, damaged, draw, flip, good, type Suite } from "./suite.ts";

export const chunk: Chunk = { seed: draw("chunk seed")(32), clock: { kind: "source" }, observations };
const local: Chunk = {
  seed: draw("second seed")(32),
  clock: { kind: "zone", zone: "Europe/Zurich" },
  observations: observations.slice(0, 2),
};
const counted: Chunk = { ...local, clock: { kind: "start", start: "2026-02-01T00:00:00Z" }, observations: [] };

function batchSuite(): Suite {
  const bytes = encodeBatch([chunk, local, counted], START);
  const packed = bytes.slice(25);
  const length = new DataView(bytes.buffer).getUint32(17);
  const bomb = zstdCompressSync(new Uint8Array(1 << 20), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const inputs = (changed: Uint8Array): object => ({ base: START, bytes: changed });
  return {
    format: "batch",
    section: 11,
    zstd: true,
    cases: [
      good("every kind of value, time and clock", inputs(bytes), [chunk, local, counted]),
      good("an idle epoch", inputs(encodeBatch([], START)), []),
      ...damaged(inputs, bytes),
      bad("unknown compression", inputs(bytes.with(16, 2)), "ERR_MALFORMED"),
      bad("another epoch's base", { base: START + LENGTH, bytes }, "ERR_MALFORMED"),
      bad("a length one too small", inputs(wrap(packed, length - 1)), "ERR_MALFORMED"),
      bad("a length one too large", inputs(wrap(packed, length + 1)), "ERR_MALFORMED"),
      bad("a length above 64 MiB", inputs(wrap(packed, (64 << 20) + 1)), "ERR_MALFORMED"),
      bad("a byte behind the frame", inputs(wrap(concat(packed, Uint8Array.of(0)), length)), "ERR_MALFORMED"),
      bad("two frames", inputs(wrap(concat(packed, packed), length)), "ERR_MALFORMED"),
      bad("a frame of 1 MiB of zeros that claims 1 KiB", inputs(wrap(bomb, 1024)), "ERR_MALFORMED"),
      ...insideCases(),
    ],
  };
}

const root = { data: draw("data root")(32), audit: draw("audit root")(32) };
export const keys = {
  data: epochKey(coverOf(root.data, EPOCH, EPOCH + 1), EPOCH),
  audit: epochKey(coverOf(root.audit, EPOCH, EPOCH + 1), EPOCH),
};
export const spot: BatchPlace = { ...place, stream: stream.id, generation: 1, epoch: EPOCH, n: 2 };

export function sealed(): { block: SealedBatch; expected: object } {
  const item = { stream: stream.id, epoch: EPOCH, count: observations.length, root: chunkRoot(chunk) };
  const statement = signStatement(device, 7, freshSigner(), [item]);
  const links = { sequence: 0, previous: new Uint8Array(32), continues: new Uint8Array(32), last: true, late: false };
  const block = sealBatch([{ ...chunk, statement, index: 0 }], keys, spot, stream, links);
  return { block, expected: { header: openHeader(block.header, keys.audit, spot, block.entry), chunks: [chunk] } };
}

function sealedSuite(): Suite {
  const { block, expected } = sealed();
  const alone = { place: spot, keys, epochLength: LENGTH, entry: block.entry, header: block.header };
  const inputs = { ...alone, batch: block.batch };
  /** The header block altered on its way into the archive, so that its entry names the altered bytes. */
  const withHeader = (header: Uint8Array): object => ({
    ...alone,
    header,
    entry: { ...block.entry, header: sha256(header) },
  });
  const moved = (change: Partial<BatchPlace>): object => ({ ...alone, place: { ...spot, ...change } });
  const elsewhere = { ...alone, entry: { ...block.entry, batch: draw("no batch")(32) } };
  return {
    format: "sealed-batch",
    section: 12,
    zstd: true,
    cases: [
      good("header and batch", inputs, expected),
      bad("the header's salt altered", withHeader(flip(block.header, 0)), "ERR_SEAL_COMMITMENT"),
      bad("the header's commitment altered", withHeader(flip(block.header, 32)), "ERR_SEAL_COMMITMENT"),
      bad("the header's ciphertext altered", withHeader(flip(block.header, 64)), "ERR_SEAL_ALTERED"),
      bad("the header's GCM tag altered", withHeader(flip(block.header, -1)), "ERR_SEAL_ALTERED"),
      bad("the batch's ciphertext altered", { ...inputs, batch: flip(block.batch, 100) }, "ERR_SEAL_ALTERED"),
      bad("the batch's salt altered", { ...inputs, batch: flip(block.batch, 1) }, "ERR_SEAL_COMMITMENT"),
      bad("the batch cut", { ...inputs, batch: block.batch.slice(0, -1) }, "ERR_MALFORMED"),
      bad("a header that the entry does not name", { ...alone, header: flip(block.header, 70) }, "ERR_MISMATCH"),
      bad("an entry of another tag", { ...alone, entry: { ...block.entry, tag: draw("no tag")(32) } }, "ERR_MISMATCH"),
      bad("an entry of another batch", elsewhere, "ERR_MISMATCH"),
      bad("another n", moved({ n: 3 }), "ERR_MISMATCH"),
      bad("another chain", moved({ chainId: 1n }), "ERR_SEAL_COMMITMENT"),
      bad("another generation", moved({ generation: 2 }), "ERR_SEAL_COMMITMENT"),
    ],
  };
}

export const batchSuites = (): Suite[] => [batchSuite(), sealedSuite()];
