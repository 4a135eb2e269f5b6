import { expect } from "chai";
import fc from "fast-check";
import { MalformedError } from "../../../src/errors.ts";
import { MAX_ITEMS } from "../../../src/log/chunk.ts";
import { TooLargeError } from "../../../src/log/errors.ts";
import {
  chunksThatFit,
  decodeHeader,
  encodeHeader,
  headerChunkSize,
  HEADER_SIZE,
  type Header,
  type HeaderChunk,
} from "../../../src/log/header.ts";
import { pad } from "../../../src/seal/padding.ts";
import { fixedBytes } from "./arbitrary.ts";

const ZEROS = new Uint8Array(32);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });

const anyChunk = (maxItems: number): fc.Arbitrary<HeaderChunk> =>
  fc
    .record({
      items: fc.array(fixedBytes(32), { minLength: 1, maxLength: maxItems }),
      deviceKey: fixedBytes(33),
      firmware: u32,
      counter: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      previous: fixedBytes(32),
      signature: fixedBytes(64),
      which: fc.nat(),
      counts: fc.tuple(u32, u32),
      root: fixedBytes(32),
    })
    .map(({ which, counts, root, ...statement }) => ({
      statement,
      index: which % statement.items.length,
      count: Math.max(...counts),
      missing: Math.min(...counts),
      root,
    }));

const anyHeader: fc.Arbitrary<Header> = fc
  .record({
    stream: fixedBytes(32),
    generation: u32,
    epoch: u32,
    n: u32,
    sequence: fc.oneof(fc.constant(0), u48),
    link: fixedBytes(32),
    last: fc.boolean(),
    late: fc.boolean(),
    earliest: u48,
    latest: u48,
    batch: fixedBytes(32),
    chunks: fc.oneof(fc.array(anyChunk(1), { maxLength: 3 }), fc.array(anyChunk(MAX_ITEMS), { maxLength: 1 })),
  })
  .map(({ link, ...rest }) => ({
    ...rest,
    previous: rest.sequence === 0 ? ZEROS : link,
    continues: rest.sequence === 0 ? link : ZEROS,
  }));

const chunkOf = (items: number): HeaderChunk => ({
  statement: {
    deviceKey: new Uint8Array(33),
    firmware: 0,
    counter: 0n,
    previous: ZEROS,
    items: Array.from({ length: items }, () => ZEROS),
    signature: new Uint8Array(64),
  },
  index: 0,
  count: 1,
  missing: 0,
  root: ZEROS,
});
const headerOf = (chunks: readonly HeaderChunk[]): Header => ({
  stream: ZEROS,
  generation: 0,
  epoch: 0,
  n: 0,
  sequence: 0,
  previous: ZEROS,
  continues: ZEROS,
  last: false,
  late: false,
  earliest: 0,
  latest: 0,
  batch: ZEROS,
  chunks,
});

describe("a header's bytes", () => {
  it("come back as the header, and fit the size of every header", () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        const bytes = encodeHeader(header);
        expect(decodeHeader(bytes)).to.deep.equal(header);
        expect(pad(bytes, [HEADER_SIZE]).length).to.equal(HEADER_SIZE - 80);
      }),
      { numRuns: 300 },
    );
  });

  it("are 177 without chunks, and 183 and 32 an item more with each", () => {
    expect(encodeHeader(headerOf([])).length).to.equal(177);
    for (const items of [1, 2, 7, 16]) {
      expect(encodeHeader(headerOf([chunkOf(items)])).length).to.equal(177 + headerChunkSize(chunkOf(items).statement));
      expect(headerChunkSize(chunkOf(items).statement)).to.equal(183 + 32 * items);
    }
  });

  it("are refused when they are first and follow on another, or continue a generation in its middle", () => {
    const one = new Uint8Array(32).fill(1);
    for (const wrong of [
      { sequence: 0, previous: one },
      { sequence: 1, continues: one },
    ])
      expect(() => decodeHeader(encodeHeader({ ...headerOf([]), ...wrong }))).to.throw(MalformedError);
  });
});

describe("the chunks that fit one header", () => {
  it("are three of one item, one of sixteen", () => {
    const many = (items: number): { items: Uint8Array[] }[] =>
      Array.from({ length: 9 }, () => ({ items: Array.from({ length: items }, () => ZEROS) }));
    expect(chunksThatFit(many(1))).to.equal(3);
    expect(chunksThatFit(many(16))).to.equal(1);
    expect(chunksThatFit([])).to.equal(0);
  });

  it("are as many as can be encoded, and not one fewer", () => {
    const statements = fc.array(fc.integer({ min: 1, max: MAX_ITEMS }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(statements, (sizes) => {
        const chunks = sizes.map(chunkOf);
        const fits = chunksThatFit(chunks.map(({ statement }) => statement));
        expect(fits).to.be.at.least(1);
        expect(() => encodeHeader(headerOf(chunks.slice(0, fits)))).to.not.throw();
        if (fits < chunks.length)
          expect(() => encodeHeader(headerOf(chunks.slice(0, fits + 1)))).to.throw(TooLargeError);
      }),
      { numRuns: 300 },
    );
  });
});
