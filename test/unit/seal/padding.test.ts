import { expect } from "chai";
import fc from "fast-check";
import { equal } from "../../../src/bytes/bytes.ts";
import { MalformedError } from "../../../src/errors.ts";
import { capacityOf, pad, SizeClassError, unpad } from "../../../src/seal/padding.ts";
import { seal } from "../../../src/seal/seal.ts";

const CLASSES = [4096, 1024, 16384];
const KEY = new Uint8Array(32).fill(1);
const sealedSize = (length: number): number =>
  seal(KEY, new Uint8Array(0), pad(new Uint8Array(length), CLASSES)).length;

describe("padding", () => {
  it("unpad inverts pad", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (plaintext) => equal(unpad(pad(plaintext, CLASSES)), plaintext)),
    );
  });

  it("gives a sealed block the size of the smallest class that holds it", () => {
    expect(sealedSize(0)).to.equal(1024);
    expect(sealedSize(capacityOf(1024))).to.equal(1024);
    expect(sealedSize(capacityOf(1024) + 1)).to.equal(4096);
    expect(sealedSize(capacityOf(4096))).to.equal(4096);
    expect(sealedSize(capacityOf(4096) + 1)).to.equal(16384);
    expect(sealedSize(capacityOf(16384))).to.equal(16384);
  });

  it("refuses what no class holds", () => {
    expect(() => pad(new Uint8Array(capacityOf(16384) + 1), CLASSES)).to.throw(SizeClassError);
    expect(() => pad(new Uint8Array(0), [83])).to.throw(SizeClassError);
    expect(() => pad(new Uint8Array(0), [])).to.throw(RangeError);
  });

  it("refuses padding that is not zero, and a length beyond the content", () => {
    const padded = pad(Uint8Array.of(1, 2, 3), CLASSES);
    for (const i of [7, 8, 500, padded.length - 1]) {
      expect(() => unpad(padded.with(i, 1)), `byte ${i}`)
        .to.throw(MalformedError)
        .with.property("offset", i);
    }
    expect(() => unpad(padded.with(0, 0xff))).to.throw(MalformedError);
    expect(() => unpad(padded.with(2, 0x04))).to.throw(MalformedError);
    expect(() => unpad(new Uint8Array(3))).to.throw(MalformedError);
  });

  it("reads a view into a larger buffer", () => {
    const buffer = new Uint8Array(2000).fill(0xee);
    buffer.set(pad(Uint8Array.of(9), [1024]), 100);
    expect(unpad(buffer.subarray(100, 100 + 1024 - 80))).to.deep.equal(Uint8Array.of(9));
  });
});
