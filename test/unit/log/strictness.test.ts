import { zstdCompressSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { fromHex, fromUtf8, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { keyedRandom } from "../../../src/bytes/random.ts";
import { ByteReader } from "../../../src/bytes/reader.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { decodeConsent, encodeConsent } from "../../../src/consent/encoding.ts";
import { formatSigned, parseSigned } from "../../../src/consent/signed.ts";
import { decodeRelease, encodeRelease } from "../../../src/envelope/payload.ts";
import { decodePinset, encodePinset } from "../../../src/ipfs/pinset.ts";
import { coverOf, decodeCover, encodeCover } from "../../../src/keys/cover.ts";
import { decodeBatch, encodeBatch } from "../../../src/log/batch.ts";
import {
  decodeCheckpoint,
  decodePage,
  encodeCheckpoint,
  type Checkpoint,
  type Entry,
} from "../../../src/log/checkpoint.ts";
import type { Chunk } from "../../../src/log/chunk.ts";
import { decodeHeader, encodeHeader } from "../../../src/log/header.ts";
import { decodeObservation, encodeObservation } from "../../../src/log/leaf.ts";
import { readDescriptor, writeDescriptor } from "../../../src/log/stream.ts";
import { decompress } from "../../../src/log/zstd.ts";
import { unpad } from "../../../src/seal/padding.ts";
import { openWithPassphrase, sealWithPassphrase } from "../../../src/seal/passphrase.ts";
import { open, seal } from "../../../src/seal/seal.ts";
import { anyChunks, anyChannel, BASE, observationOf } from "./arbitrary.ts";
import { refusesTruncations, standsMutations, type Format } from "./mutate.ts";

const MUTATIONS = Number(process.env["MEDSEAL_MUTATIONS"] ?? 2000);
const FOLDER = join(import.meta.dirname, "..", "..", "vectors");

/** The input of a good vector. */
function vector(format: string, name: string, input = "bytes"): string {
  const { cases } = JSON.parse(readFileSync(join(FOLDER, `${format}.json`), "utf8")) as {
    cases: Record<string, string>[];
  };
  const found = cases.find((at) => at["name"] === name)?.[input];
  if (found === undefined) throw new Error(`no vector "${name}" of ${format}`);
  return found;
}
const bytesOf = (...at: Parameters<typeof vector>): Uint8Array => fromHex(vector(...at));
const rand = keyedRandom(new Uint8Array(32), utf8("strictness"));
const KEY = rand(32);

const observation = fc.sample(observationOf(anyChannel), { numRuns: 1, seed: 3 })[0] as Parameters<
  typeof encodeObservation
>[0];

/** The uncompressed part of a batch, packed again on reading: so mutations reach behind the compression. */
const plainOf = (batch: Uint8Array): Uint8Array =>
  decompress(batch.slice(25), new DataView(batch.buffer, batch.byteOffset).getUint32(17)) ?? batch;
const packed = (plain: Uint8Array): Uint8Array =>
  new ByteWriter()
    .raw(utf8("medseal/batch/1\n"))
    .uint(1, 1)
    .uint(plain.length, 4)
    .sized(zstdCompressSync(plain), 4)
    .finish();

/** Several chunks with readings of many kinds, but no long text, in which changes would be all the same. */
const chunks = fc
  .sample(anyChunks, { numRuns: 40, seed: 5 })
  .find(
    (some) =>
      some.length > 1 &&
      some.every(({ observations }) => observations.length > 1) &&
      some.some(({ observations }) => observations.some(({ value }) => value.kind === "sampled")) &&
      plainOf(encodeBatch(some, BASE)).length < 5000,
  ) as Chunk[];

const entries = Array.from({ length: 5 }, (): Entry => ({ tag: rand(32), header: rand(32), batch: rand(32) }));
entries.sort((a, b) => Buffer.compare(a.tag, b.tag));
const checkpoint: Checkpoint = {
  chainId: 1n,
  anchor: rand(20),
  gateway: rand(20),
  index: 4,
  headBefore: rand(32),
  previous: rand(32),
  entries,
  mail: [{ envelope: rand(32), ephemeral: rand(32), viewTag: 3 }],
  erased: [sha256(utf8("a")), sha256(utf8("b"))].sort((a, b) => Buffer.compare(a, b)),
};
const page = (of: readonly Entry[]): Uint8Array => {
  const writer = new ByteWriter().raw(utf8("medseal/page/1\n")).uint(of.length, 4);
  for (const { tag, header, batch } of of) writer.raw(tag).raw(header).raw(batch);
  return writer.finish();
};

const format = <T>(at: Format<T>): Format<unknown> => at as Format<unknown>;
const FORMATS: Readonly<Record<string, Format<unknown>>> = {
  observation: format({ bytes: encodeObservation(observation), decode: decodeObservation, encode: encodeObservation }),
  "batch, behind its compression": format({
    bytes: plainOf(encodeBatch(chunks, BASE)),
    decode: (plain) => decodeBatch(packed(plain), BASE),
    encode: (content) => plainOf(encodeBatch(content, BASE)),
  }),
  header: format({ bytes: bytesOf("header", "two chunks"), decode: decodeHeader, encode: encodeHeader }),
  checkpoint: format({
    bytes: encodeCheckpoint(checkpoint).block,
    decode: (block) => {
      const body = decodeCheckpoint(block);
      // A mutated count may turn it into one on pages, whose digests these bytes cannot be.
      return { ...body, entries: body.entries ?? [] };
    },
    encode: (content) => encodeCheckpoint(content).block,
  }),
  "checkpoint page": format({
    bytes: page(entries),
    decode: (bytes) => decodePage(bytes, entries.length),
    encode: page,
  }),
  cover: format({ bytes: encodeCover(coverOf(KEY, 5, 23)), decode: decodeCover, encode: encodeCover }),
  consent: format({ bytes: bytesOf("consent", "to read and audit"), decode: decodeConsent, encode: encodeConsent }),
  release: format({
    bytes: bytesOf("release", "to audit, without keys of the data tree"),
    decode: decodeRelease,
    encode: encodeRelease,
  }),
  "stream descriptor": format({
    bytes: writeDescriptor(new ByteWriter(), {
      id: rand(32),
      name: "heart-rate",
      channels: [observation.channel],
      epochLength: 60,
      batchClass: 1,
    }).finish(),
    decode: (bytes) => {
      const reader = new ByteReader(bytes, "descriptor");
      const stream = readDescriptor(reader);
      reader.end();
      return stream;
    },
    encode: (stream) => writeDescriptor(new ByteWriter(), stream).finish(),
  }),
  pinset: format({
    bytes: encodePinset({ checkpoint: rand(32), blocks: [rand(32), rand(32)] }).bytes,
    decode: decodePinset,
    encode: (pinset) => encodePinset(pinset).bytes,
  }),
  padding: format({
    bytes: Uint8Array.of(0, 0, 0, 3, 1, 2, 3, 0, 0, 0),
    decode: (padded) => ({ content: unpad(padded), size: padded.length }),
    encode: ({ content, size }) => {
      const padded = new Uint8Array(size);
      padded.set(new ByteWriter().sized(content, 4).finish());
      return padded;
    },
  }),
};

const context = utf8("a place");
const SEALED: Readonly<Record<string, () => Promise<Format<unknown>>>> = {
  "sealed block": async () =>
    format({ bytes: seal(KEY, context, rand(40)), decode: (bytes) => open(KEY, context, bytes) }),
  "passphrase-sealed file": async () =>
    format({
      bytes: await sealWithPassphrase("correct horse", "p", rand(40), { cost: { logN: 10, r: 1, p: 1 }, bytes: rand }),
      decode: (file) => {
        // What a file may ask of the machine is tested with the passphrase; here a dear one would only take time.
        const dear =
          hex(file.subarray(0, 21)) === hex(utf8("medseal/passphrase/1\n")) &&
          ((file[23] ?? 0) > 11 || (file[24] ?? 0) > 2);
        return openWithPassphrase("correct horse", "p", dear ? file.with(23, 255) : file);
      },
    }),
};

describe("strict reading", () => {
  for (const [name, at] of Object.entries(FORMATS)) {
    it(`${name}: refuses every truncation, and ${MUTATIONS} mutations are refused or read as what they are`, async () => {
      await refusesTruncations({ ...at, bytes: name === "padding" ? at.bytes.slice(0, 7) : at.bytes });
      const refused = await standsMutations(name, at, MUTATIONS);
      expect(refused).to.be.at.least(1);
    });
  }

  for (const [name, make] of Object.entries(SEALED)) {
    it(`${name}: refuses every truncation and ${MUTATIONS} mutations, each with a typed error`, async () => {
      const at = await make();
      await refusesTruncations(at);
      const refused = await standsMutations(name, at, MUTATIONS);
      expect(refused).to.be.greaterThan(MUTATIONS * 0.9);
    });
  }

  it(`signed message: ${MUTATIONS} mutations are refused or read as what they are`, async () => {
    const text = vector("signed-message", "medseal-signed-grant", "text");
    const at: Format<string> = {
      bytes: utf8(text),
      decode: (bytes) => {
        const message = parseSigned(new TextDecoder().decode(bytes));
        // White space and the order of keys are free, the content is not.
        expect(parseSigned(formatSigned(message))).to.deep.equal(message);
        return fromUtf8(bytes);
      },
      encode: utf8,
    };
    expect(await standsMutations("signed message", at, MUTATIONS)).to.be.at.least(1);
  });

  it(`batch as it stands: refuses every truncation, and ${MUTATIONS} mutations are refused or hold a whole batch`, async () => {
    const bytes = encodeBatch(chunks, BASE);
    const decode = (changed: Uint8Array): Chunk[] => decodeBatch(changed, BASE);
    // A frame has no checksum and may be written in many ways: what does open need not be these bytes, but it must be a batch.
    const encode = (content: Chunk[], changed: Uint8Array): Uint8Array => {
      expect(decode(encodeBatch(content, BASE))).to.deep.equal(content);
      return changed;
    };
    await refusesTruncations({ bytes, decode, encode });
    expect(await standsMutations("batch as it stands", { bytes, decode, encode }, MUTATIONS)).to.be.at.least(1);
  });
});
