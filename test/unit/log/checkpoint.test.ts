import { expect } from "chai";
import fc from "fast-check";
import { compare, hex } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { MalformedError } from "../../../src/errors.ts";
import { MAX_BLOCK } from "../../../src/ipfs/store.ts";
import {
  checkpointRoot,
  decodeCheckpoint,
  decodePage,
  encodeCheckpoint,
  entryLeaf,
  joinPages,
  PAGE_ENTRIES,
  type Checkpoint,
  type Entry,
} from "../../../src/log/checkpoint.ts";
import { TooLargeError } from "../../../src/log/errors.ts";
import { merkleRoot } from "../../../src/log/merkle.ts";
import { fixedBytes } from "./arbitrary.ts";

const ZEROS = new Uint8Array(32);
const DIGEST = sha256(ZEROS);

/** A tag that sorts by its number. */
const tag = (i: number): Uint8Array => new ByteWriter().uint(i, 4).raw(new Uint8Array(28)).finish();
const entriesOf = (count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ tag: tag(i), header: DIGEST, batch: DIGEST }));
const checkpointOf = (change: Partial<Checkpoint> = {}): Checkpoint => ({
  chainId: 1n,
  anchor: new Uint8Array(20).fill(1),
  gateway: new Uint8Array(20).fill(2),
  index: 0,
  headBefore: ZEROS,
  previous: ZEROS,
  entries: entriesOf(1),
  mail: [],
  erased: [],
  ...change,
});
const read = ({ block, pages }: ReturnType<typeof encodeCheckpoint>): Checkpoint => {
  const {
    size: _size,
    pages: _pages,
    ...rest
  } = joinPages(decodeCheckpoint(block), pages) as Checkpoint & {
    size: number;
    pages: unknown;
  };
  return rest;
};
const ascending = (digests: readonly Uint8Array[]): Uint8Array[] =>
  [...new Map(digests.map((digest) => [hex(digest), digest])).values()].sort(compare);

const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc.record({
  chainId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  anchor: fixedBytes(20),
  gateway: fixedBytes(20),
  index: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  headBefore: fixedBytes(32),
  previous: fixedBytes(32),
  entries: fc
    .array(fixedBytes(32), { minLength: 1, maxLength: 40 })
    .map((tags) => ascending(tags).map((of) => ({ tag: of, header: sha256(of), batch: sha256(sha256(of)) }))),
  mail: fc.array(
    fc.record({ envelope: fixedBytes(32), ephemeral: fixedBytes(32), viewTag: fc.integer({ min: 0, max: 255 }) }),
    { maxLength: 20 },
  ),
  erased: fc.array(fixedBytes(32), { maxLength: 10 }).map(ascending),
});

describe("a checkpoint", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(anyCheckpoint, (checkpoint) => {
        expect(read(encodeCheckpoint(checkpoint))).to.deep.equal(checkpoint);
      }),
      { numRuns: 200 },
    );
  });

  it("has its entries inside up to 4,096, and on pages of 4,096 above", () => {
    for (const [count, sizes] of [
      [PAGE_ENTRIES, []],
      [PAGE_ENTRIES + 1, [PAGE_ENTRIES, 1]],
      [2 * PAGE_ENTRIES, [PAGE_ENTRIES, PAGE_ENTRIES]],
      [2 * PAGE_ENTRIES + 1, [PAGE_ENTRIES, PAGE_ENTRIES, 1]],
    ] as [number, number[]][]) {
      const checkpoint = checkpointOf({ entries: entriesOf(count) });
      const blocks = encodeCheckpoint(checkpoint);
      const body = decodeCheckpoint(blocks.block);
      expect(body.size).to.equal(count);
      expect(body.entries === undefined, `${count} inside`).to.equal(sizes.length > 0);
      expect(body.pages.map(hex)).to.deep.equal(blocks.pages.map((page) => hex(sha256(page))));
      expect(blocks.pages.map((page, i) => decodePage(page, sizes[i] as number).length)).to.deep.equal(sizes);
      expect(hex(checkpointRoot(read(blocks).entries))).to.equal(hex(merkleRoot(checkpoint.entries.map(entryLeaf))));
    }
  });

  it("is refused with typed errors when its pages are not those of its entries", () => {
    const { block, pages } = encodeCheckpoint(checkpointOf({ entries: entriesOf(PAGE_ENTRIES + 2) }));
    const body = decodeCheckpoint(block);
    const [first, second] = pages as [Uint8Array, Uint8Array];
    const low = encodeCheckpoint(checkpointOf({ entries: entriesOf(PAGE_ENTRIES * 2) })).pages[0] as Uint8Array;
    for (const [what, wrong] of Object.entries({
      "none at all": [],
      "one missing": [first],
      "one too many": [first, second, second],
      "in another order": [second, first],
      "the same twice": [first, first],
      "one that is cut": [first, second.slice(0, -1)],
      "one that says it is longer": [first, second.with(18, 3)],
      "one of another format": [first, block],
      "entries before those of the page before": [low, encodePageOf([0, 1])],
    }))
      expect(() => joinPages(body, wrong), what).to.throw(MalformedError);
  });

  it("is refused when its entries do not ascend strictly", () => {
    const [a, b] = entriesOf(2) as [Entry, Entry];
    const { block } = encodeCheckpoint(checkpointOf({ entries: [a, b] }));
    const swapped = block.slice();
    swapped.set(block.subarray(143, 239), 239);
    expect(() => decodeCheckpoint(swapped), "the same twice").to.throw(MalformedError);
    swapped.set(block.subarray(239, 335), 143);
    expect(() => decodeCheckpoint(swapped), "in another order").to.throw(MalformedError);
    expect(() => encodeCheckpoint(checkpointOf({ entries: [b, a] }))).to.throw(RangeError);
    expect(() => encodeCheckpoint(checkpointOf({ entries: [a, a] }))).to.throw(RangeError);
  });

  it("is refused without entries, with too many, and when it lists more than it may", () => {
    const { block } = encodeCheckpoint(checkpointOf());
    const at = (offset: number, ...bytes: number[]): Uint8Array => {
      const changed = block.slice();
      changed.set(bytes, offset);
      return changed;
    };
    expect(() => decodeCheckpoint(at(139, 0, 0, 0, 0)), "none").to.throw(MalformedError);
    expect(() => decodeCheckpoint(at(139, 0, 0x40, 0, 1)), "4,194,305 entries").to.throw(MalformedError);
    expect(() => decodeCheckpoint(at(139, 0, 0x40, 0, 0)), "more pages than bytes").to.throw(MalformedError);
    expect(() => decodeCheckpoint(at(239, 0xff, 0xff)), "more mail than bytes").to.throw(MalformedError);
    expect(() => decodeCheckpoint(at(241, 0xff, 0xff)), "more erased than bytes").to.throw(MalformedError);
    const row = { envelope: DIGEST, ephemeral: DIGEST, viewTag: 1 };
    const erased = Array.from({ length: 16_385 }, (_, i) => tag(i));
    const mail = erased.map(() => row);
    expect(() => encodeCheckpoint(checkpointOf({ mail }))).to.throw(TooLargeError);
    expect(() => encodeCheckpoint(checkpointOf({ erased }))).to.throw(TooLargeError);
    expect(() => encodeCheckpoint(checkpointOf({ erased: [tag(2), tag(1)] }))).to.throw(RangeError);
    const full = checkpointOf({ entries: entriesOf(4096), mail: mail.slice(1), erased: erased.slice(1) });
    expect(encodeCheckpoint(full).block.length).to.be.lessThan(MAX_BLOCK);
    expect(read(encodeCheckpoint(full)).mail).to.have.length(16_384);
  });
});

/** A page with entries of these numbers. */
function encodePageOf(numbers: readonly number[]): Uint8Array {
  const writer = new ByteWriter().raw(new TextEncoder().encode("medseal/page/1\n")).uint(numbers.length, 4);
  for (const i of numbers) writer.raw(tag(i)).raw(DIGEST).raw(DIGEST);
  return writer.finish();
}
