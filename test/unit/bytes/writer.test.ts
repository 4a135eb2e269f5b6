import { expect } from "chai";
import fc from "fast-check";
import { hex } from "../../../src/bytes/bytes.ts";
import { ByteReader } from "../../../src/bytes/reader.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { MalformedError } from "../../../src/errors.ts";

const SAFE = Number.MAX_SAFE_INTEGER;
const reader = (bytes: ArrayLike<number>): ByteReader => new ByteReader(Uint8Array.from(bytes), "test");

type Part =
  | { readonly kind: "uint"; readonly size: 1 | 2 | 4 | 6; readonly value: number }
  | { readonly kind: "uint64"; readonly value: bigint }
  | { readonly kind: "varint"; readonly value: number }
  | { readonly kind: "text"; readonly size: 1 | 2 | 4; readonly value: string }
  | { readonly kind: "sized"; readonly size: 1 | 2 | 4; readonly value: Uint8Array };

const lengthSize = fc.constantFrom(1 as const, 2 as const, 4 as const);
const part: fc.Arbitrary<Part> = fc.oneof(
  fc
    .constantFrom(1 as const, 2 as const, 4 as const, 6 as const)
    .chain((size) =>
      fc.integer({ min: 0, max: 2 ** (8 * size) - 1 }).map((value): Part => ({ kind: "uint", size, value })),
    ),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Part => ({ kind: "uint64", value })),
  fc.integer({ min: 0, max: SAFE }).map((value): Part => ({ kind: "varint", value })),
  fc.record({
    kind: fc.constant("text" as const),
    size: lengthSize,
    value: fc.string({ unit: "binary", maxLength: 50 }),
  }),
  fc.record({ kind: fc.constant("sized" as const), size: lengthSize, value: fc.uint8Array({ maxLength: 200 }) }),
);

function write(writer: ByteWriter, at: Part): void {
  if (at.kind === "uint") writer.uint(at.value, at.size);
  else if (at.kind === "uint64") writer.uint(at.value, 8);
  else if (at.kind === "varint") writer.varint(at.value);
  else if (at.kind === "text") writer.text(at.value, at.size);
  else writer.sized(at.value, at.size);
}

function read(from: ByteReader, at: Part): unknown {
  if (at.kind === "uint") return from.uint(at.size);
  if (at.kind === "uint64") return from.uint64();
  if (at.kind === "varint") return from.varint();
  return at.kind === "text" ? from.text(at.size) : from.sized(at.size);
}

describe("a byte writer", () => {
  it("writes the same again behind what it keeps, and over what it wrote", () => {
    fc.assert(
      fc.property(fc.array(part), fc.array(part), fc.array(part), (kept, dropped, written) => {
        const writer = new ByteWriter().raw(new Uint8Array(4));
        for (const at of kept) write(writer, at);
        const { length } = writer;
        for (const at of dropped) write(writer, at);
        writer.view();
        writer.cut(length);
        for (const at of written) write(writer, at);
        writer.over(1, Uint8Array.of(9, 1, 2, 9), 1, 2);
        const fresh = new ByteWriter().raw(Uint8Array.of(0, 1, 2, 0));
        for (const at of [...kept, ...written]) write(fresh, at);
        expect(hex(writer.view())).to.equal(hex(fresh.finish()));
      }),
    );
    expect(() => new ByteWriter().over(0, new Uint8Array(1), 0, 1)).to.throw(RangeError);
  });

  it("writes what a reader reads back, in any order and of any length", () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const writer = new ByteWriter();
        for (const at of parts) write(writer, at);
        const from = new ByteReader(writer.finish(), "test");
        expect(writer.length).to.equal(from.left);
        for (const at of parts) expect(read(from, at)).to.deep.equal(at.value);
        from.end();
      }),
      { numRuns: 500 },
    );
  });

  // A varint once wrote into the buffer of before: the place was computed, and with it the buffer outgrown, after its bytes were looked up.
  it("loses no byte when a varint makes its buffer grow", () => {
    for (let before = 0; before < 300; before++) {
      for (const value of [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, SAFE]) {
        const bytes = new ByteWriter().raw(new Uint8Array(before).fill(0xee)).varint(value).finish();
        const from = new ByteReader(bytes.slice(before), "test");
        expect(from.varint(), `${value} behind ${before} bytes`).to.equal(value);
        from.end();
        expect(bytes.subarray(0, before).every((byte) => byte === 0xee)).to.equal(true);
      }
    }
  });

  it("loses no byte when a long run of varints makes it grow again and again", () => {
    const values = Array.from({ length: 20_000 }, (_, i) => (i * 2_654_435_761) % SAFE);
    const writer = new ByteWriter();
    for (const value of values) writer.varint(value);
    const from = new ByteReader(writer.finish(), "test");
    expect(values.every((value) => from.varint() === value)).to.equal(true);
    from.end();
  });

  it("writes numbers with the high byte first", () => {
    expect(hex(new ByteWriter().uint(0x0102, 2).uint(0x030405060708n, 8).uint(9, 6).finish())).to.equal(
      "0102" + "0000030405060708" + "000000000009",
    );
    expect(hex(new ByteWriter().varint(300).varint(0).finish())).to.equal("ac0200");
    expect(hex(new ByteWriter().text("é", 2).sized(Uint8Array.of(7), 4).finish())).to.equal("0002c3a90000000107");
  });

  it("refuses what does not fit", () => {
    const writer = new ByteWriter();
    for (const wrong of [
      () => writer.uint(256, 1),
      () => writer.uint(-1, 4),
      () => writer.uint(0.5, 4),
      () => writer.uint(NaN, 4),
      () => writer.uint(2 ** 48, 6),
      () => writer.uint(SAFE + 1, 8),
      () => writer.uint(1n << 64n, 8),
      () => writer.uint(-1n, 8),
      () => writer.varint(-1),
      () => writer.varint(SAFE + 1),
      () => writer.fixed(new Uint8Array(31), 32),
      () => writer.text("x".repeat(256)),
      () => writer.sized(new Uint8Array(65_536), 2),
    ])
      expect(wrong).to.throw(RangeError);
  });

  it("gives a copy: what is written later does not show in it", () => {
    const writer = new ByteWriter().uint(1, 1);
    const first = writer.finish();
    writer.uint(2, 1);
    expect([...first]).to.deep.equal([1]);
    expect([...writer.finish()]).to.deep.equal([1, 2]);
  });
});

describe("a byte reader", () => {
  it("refuses to read past the end, and bytes left over", () => {
    for (const past of [
      (from: ByteReader) => from.fixed(3),
      (from: ByteReader) => from.uint(4),
      (from: ByteReader) => from.uint64(),
      (from: ByteReader) => from.sized(1),
      (from: ByteReader) => from.text(1),
      (from: ByteReader) => from.end(),
    ])
      expect(() => past(reader([5, 0]))).to.throw(MalformedError);
  });

  it("takes a varint in its shortest form only, up to 2^53 - 1", () => {
    expect(reader([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]).varint()).to.equal(SAFE);
    for (const wrong of [
      [0x80, 0x00],
      [0xff, 0x80, 0x00],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      new Array<number>(500).fill(0x80),
      [0x80],
      [],
    ])
      expect(() => reader(wrong).varint(), wrong.slice(0, 9).join()).to.throw(MalformedError);
  });

  it("refuses text that is not UTF-8, and keeps a byte order mark", () => {
    for (const wrong of [
      [1, 0xff],
      [2, 0xc0, 0x80],
      [3, 0xed, 0xa0, 0x80],
      [4, 0xf4, 0x90, 0x80, 0x80],
      [1, 0xc3],
    ])
      expect(() => reader(wrong).text()).to.throw(MalformedError);
    expect(reader([3, 0xef, 0xbb, 0xbf]).text()).to.equal("\ufeff");
  });

  it("names the format and the place of what is wrong", () => {
    const from = reader([1, 2, 3]);
    from.uint(1);
    expect(() => from.expect(Uint8Array.of(2, 4), "a name")).to.throw(
      MalformedError,
      "test is malformed at byte 1: a name expected",
    );
    expect(() => from.choice(["a", "b"], "letter")).to.throw(MalformedError, "at byte 1: unknown letter");
    expect(from.choice(["a", "b", "c"], "letter")).to.equal("c");
  });
});
