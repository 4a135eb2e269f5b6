import { zstdCompressSync } from "node:zlib";
import { expect } from "chai";
import fc from "fast-check";
import { concat, utf8 } from "../../../src/bytes/bytes.ts";
import { ByteWriter } from "../../../src/bytes/writer.ts";
import { MalformedError } from "../../../src/errors.ts";
import { decodeBatch, encodeBatch, MAX_LEAVES } from "../../../src/log/batch.ts";
import type { Chunk } from "../../../src/log/chunk.ts";
import { compactDecimal, expandDecimal } from "../../../src/log/decimal.ts";
import { TooLargeError } from "../../../src/log/errors.ts";
import { decompress } from "../../../src/log/zstd.ts";
import type { Observation } from "../../../src/observation/observation.ts";
import { anyChunks, anyDecimal, BASE } from "./arbitrary.ts";

const SEED = new Uint8Array(32).fill(5);
const chunk = (observations: readonly Observation[]): Chunk => ({
  seed: SEED,
  clock: { kind: "source" },
  observations,
});
const reading = (change: Partial<Observation> & { decimal?: string; code?: string } = {}): Observation => ({
  channel: { code: { system: "http://loinc.org", code: change.code ?? "8867-4" }, unit: "/min" },
  time: change.time ?? "2026-02-01T00:00:00Z",
  status: change.status ?? "final",
  value: change.value ?? { kind: "quantity", decimal: change.decimal ?? "72", comparator: "" },
});
const roundTrip = (...observations: Observation[]): Observation[] => [
  ...(decodeBatch(encodeBatch([chunk(observations)], BASE), BASE)[0] as Chunk).observations,
];

/** The uncompressed part of a batch. */
function plainOf(batch: Uint8Array): Uint8Array {
  const length = new DataView(batch.buffer, batch.byteOffset).getUint32(17);
  const plain = decompress(batch.slice(25), length);
  if (!plain) throw new Error("no batch");
  return plain;
}
const wrap = (plain: Uint8Array, claimed = plain.length, packed: Uint8Array = zstdCompressSync(plain)): Uint8Array =>
  new ByteWriter().raw(utf8("medseal/batch/1\n")).uint(1, 1).uint(claimed, 4).sized(packed, 4).finish();

describe("a compact decimal", () => {
  it("gives back the very text, or is none", () => {
    fc.assert(
      fc.property(anyDecimal, (text) => {
        const compact = compactDecimal(text);
        if (compact) expect(expandDecimal(compact)).to.equal(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("exists for what sensors send", () => {
    for (const text of ["0", "72", "-3", "36.60", "0.005", "999999999999999", "0.000000000000001", "-0.5"])
      expect(compactDecimal(text), text).to.not.equal(undefined);
  });

  it("does not exist where mantissa and scale lose something", () => {
    for (const text of ["-0", "-0.0", "1e3", "007", "+1", "1.", ".5", "", "1000000000000000", "0.1234567890123456"])
      expect(compactDecimal(text), text).to.equal(undefined);
  });
});

describe("a batch", () => {
  it("comes back as it was, whatever its values, times, clocks and channels", () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        expect(decodeBatch(encodeBatch(chunks, BASE), BASE)).to.deep.equal(chunks);
      }),
      { numRuns: 300 },
    );
  });

  it("has the same bytes for the same chunks", () => {
    fc.assert(
      fc.property(anyChunks, (chunks) => {
        expect(encodeBatch(chunks, BASE)).to.deep.equal(encodeBatch(structuredClone(chunks), BASE));
      }),
      { numRuns: 50 },
    );
  });

  it("keeps every form of time in the last instant of the longest epoch", () => {
    const times = ["Z", "+00:00", "-00:00"].flatMap((offset) =>
      Array.from({ length: 10 }, (_, n) => `2026-02-01T23:59:59${n === 0 ? "" : `.${"9".repeat(n)}`}${offset}`),
    );
    times.push("2026-02-02T13:59:59+14:00", "2026-02-01T09:59:59.000000000-14:00");
    expect(roundTrip(...times.map((time) => reading({ time }))).map(({ time }) => time)).to.deep.equal(times);
  });

  it("keeps times that go back, and the order of the rows", () => {
    const times = ["2026-02-01T00:59:59Z", "2026-02-01T00:00:00Z", "2026-02-01T00:30:00.5Z", "2026-02-01T00:00:00.0Z"];
    expect(roundTrip(...times.map((time) => reading({ time }))).map(({ time }) => time)).to.deep.equal(times);
  });

  it("holds 255 channels and refuses to take one more", () => {
    const rows = Array.from({ length: 256 }, (_, i) => reading({ code: `code-${i}`, decimal: String(i * 1e12) }));
    expect(roundTrip(...rows.slice(0, 255))).to.deep.equal(rows.slice(0, 255));
    expect(() => encodeBatch([chunk(rows)], BASE)).to.throw(TooLargeError);
  });

  it("holds 255 forms of time and refuses to take one more", () => {
    const two = (n: number): string => String(n).padStart(2, "0");
    const rows = Array.from({ length: 256 }, (_, i) =>
      reading({
        time: `2026-02-01T${two(Math.floor(i / 60))}:${two(i % 60)}:00+${two(Math.floor(i / 60))}:${two(i % 60)}`,
      }),
    );
    expect(roundTrip(...rows.slice(0, 255))).to.deep.equal(rows.slice(0, 255));
    expect(() => encodeBatch([chunk(rows)], BASE)).to.throw(TooLargeError);
  });

  it("takes names of 256 characters in any script", () => {
    const channel = { code: { system: "ü".repeat(256), code: "体".repeat(256) }, unit: "1" };
    const value = { kind: "missing" as const, reason: "unknown", source: "体".repeat(256) };
    const row = { ...reading({ value }), channel };
    expect(roundTrip(row)).to.deep.equal([row]);
  });

  it("refuses to take more readings than a reader has room for", () => {
    const rows = new Array<Observation>(MAX_LEAVES + 1).fill(reading());
    expect(() => encodeBatch([chunk(rows)], BASE)).to.throw(TooLargeError);
  });

  it("is refused under another epoch's start", () => {
    const bytes = encodeBatch([chunk([reading()])], BASE);
    expect(() => decodeBatch(bytes, BASE + 3600)).to.throw(MalformedError);
  });
});

describe("a hostile batch", () => {
  const good = encodeBatch([chunk([reading(), reading({ time: "2026-02-01T00:00:01Z", decimal: "73" })])], BASE);
  const refused = (bytes: Uint8Array, what?: string): void => {
    expect(() => decodeBatch(bytes, BASE), what).to.throw(MalformedError);
  };

  it("is taken as it is, packed again", () => {
    expect(decodeBatch(wrap(plainOf(good)), BASE)).to.deep.equal(decodeBatch(good, BASE));
  });

  it("is refused when its frame gives more than it says, without unpacking that", () => {
    const bomb = zstdCompressSync(new Uint8Array(256 << 20));
    const before = process.memoryUsage().arrayBuffers;
    refused(wrap(new Uint8Array(0), 1000, bomb));
    refused(wrap(new Uint8Array(0), 64 << 20, bomb), "256 MiB that say 64");
    refused(wrap(new Uint8Array(0), 256 << 20, bomb), "more than any batch may have");
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(256 << 20);
  });

  it("is refused with anything before or behind its frame", () => {
    const plain = plainOf(good);
    const packed = zstdCompressSync(plain);
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0);
    refused(wrap(plain, plain.length, concat(packed, Uint8Array.of(0))), "a byte");
    refused(wrap(plain, plain.length, concat(packed, packed)), "another frame");
    refused(wrap(plain, plain.length, concat(packed, skippable)), "a skippable frame behind");
    refused(wrap(plain, plain.length, concat(skippable, packed)), "a skippable frame before");
    refused(wrap(plain, plain.length, packed.subarray(0, -1)), "a cut frame");
    refused(wrap(plain, plain.length + 1, packed), "a length too large");
    refused(wrap(plain, plain.length - 1, packed), "a length too small");
  });

  it("is refused when its table is not that of its rows", () => {
    const write = (codes: string[], columns: number[]): Uint8Array => {
      const writer = new ByteWriter().uint(codes.length, 1);
      for (const code of codes) writer.text("s", 2).text(code, 2).uint(0, 1).text("");
      writer.uint(1, 1).raw(SEED).uint(0, 1).text("");
      writer.uint(columns.length, 4).uint(BASE, 6).uint(1, 1).uint(0, 1).uint(0x7fff, 2);
      const each = (byte: number): Uint8Array => new Uint8Array(columns.length).fill(byte);
      writer.sized(Uint8Array.from(columns), 4).sized(each(3), 4).sized(each(0), 4).sized(each(0), 4);
      return wrap(writer.sized(each(0).slice(0, 0), 4).sized(each(0).slice(0, 0), 4).sized(each(1), 4).finish());
    };
    expect(decodeBatch(write(["a", "b"], [0, 1, 0]), BASE)).to.have.length(1);
    refused(write(["a", "b"], [0]), "a channel that no row uses");
    refused(write(["a", "b"], [1, 0]), "another order than that of first use");
    refused(write(["a", "a"], [0, 1]), "a channel twice");
    refused(write(["a"], [0, 1]), "a row of no channel");
  });

  it("is refused when a time leaves the day or the calendar", () => {
    const at = (ticks: number[], digits = 0, base = BASE): (() => unknown) => {
      const ticked = new ByteWriter();
      for (const tick of ticks) ticked.varint(tick);
      const each = (byte: number): Uint8Array => new Uint8Array(ticks.length).fill(byte);
      const writer = new ByteWriter().uint(1, 1).text("s", 2).text("c", 2).uint(0, 1).text("");
      writer.uint(1, 1).raw(SEED).uint(0, 1).text("").uint(ticks.length, 4).uint(base, 6).uint(1, 1);
      writer.uint(digits, 1).uint(0x7fff, 2).sized(each(0), 4).sized(each(3), 4).sized(each(0), 4);
      writer.sized(ticked.finish(), 4).uint(0, 4).uint(0, 4).sized(each(1), 4);
      return () => decodeBatch(wrap(writer.finish()), base);
    };
    expect(at([0, 2 * 86_399])()).to.have.length(1);
    for (const [ticks, digits] of [
      [[1], 0],
      [[2 * 86_400], 0],
      [[Number.MAX_SAFE_INTEGER], 0],
      [[Number.MAX_SAFE_INTEGER - 1], 9],
      [[2, 3], 9],
    ] as [number[], number][]) {
      if (ticks.length === 2) expect(at(ticks, digits), "back to before the start").to.throw(MalformedError);
      else expect(at(ticks, digits), ticks.join()).to.throw(MalformedError);
    }
    expect(at([0], 10), "ten digits").to.throw(MalformedError);
    // A base beyond the year 9999, which 48 bits can say.
    expect(at([0], 0, 2 ** 48 - 1), "after the year 9999").to.throw(MalformedError);
  });
});
