import { expect } from "chai";
import fc from "fast-check";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { MalformedError } from "../../../src/errors.ts";
import { coverOf, decodeCover, encodeCover, puncture, type Cover } from "../../../src/keys/cover.ts";
import { EPOCHS } from "../../../src/keys/tree.ts";

const ROOT = new Uint8Array(32).fill(3);
const KEY = "5a".repeat(32);

const count = (n: number): string => n.toString(16).padStart(4, "0");
const node = (level: number, first: number): string =>
  level.toString(16).padStart(2, "0") + first.toString(16).padStart(8, "0") + KEY;
const file = (...nodes: string[]): Uint8Array =>
  new Uint8Array(Buffer.from(hex(utf8("medseal/cover/1\n")) + count(nodes.length) + nodes.join(""), "hex"));

describe("a cover's bytes", () => {
  it("decode inverts encode, after any puncture", () => {
    const epoch = fc.integer({ min: 0, max: EPOCHS - 1 });
    fc.assert(
      fc.property(epoch, epoch, fc.array(epoch, { maxLength: 3 }), (a, b, holes) => {
        const whole = coverOf(ROOT, Math.min(a, b), Math.max(a, b) + 1);
        const cover = holes.reduce<Cover>((rest, hole) => puncture(rest, hole, hole + 1), whole);
        expect(decodeCover(encodeCover(cover))).to.deep.equal(cover);
      }),
    );
  });

  it("has the documented layout", () => {
    const [first] = coverOf(ROOT, 6, 8);
    if (first === undefined) throw new Error("a cover without nodes");
    const expected = `${hex(utf8("medseal/cover/1\n"))}00011f00000006${hex(first.key)}`;
    expect(hex(encodeCover([first]))).to.equal(expected);
    expect(hex(encodeCover([]))).to.equal(`${hex(utf8("medseal/cover/1\n"))}0000`);
  });

  it("takes sorted, disjoint nodes", () => {
    for (const good of [
      file(),
      file(node(0, 0)),
      file(node(32, 1), node(31, 2)),
      file(node(32, 1), node(32, 2)),
      file(node(31, 4), node(32, 7)),
    ]) {
      expect(hex(encodeCover(decodeCover(good)))).to.equal(hex(good));
    }
  });

  const bad: Record<string, Uint8Array> = {
    "nodes out of order": file(node(32, 7), node(32, 5)),
    "the same node twice": file(node(32, 7), node(32, 7)),
    "a node inside another": file(node(31, 6), node(32, 7)),
    "a node around the one before": file(node(32, 6), node(31, 6)),
    "two siblings": file(node(32, 6), node(32, 7)),
    "two siblings that make the root": file(node(1, 0), node(1, 2 ** 31)),
    "two siblings after another node": file(node(32, 1), node(31, 4), node(31, 6)),
    "a level above 32": file(node(33, 0)),
    "a first epoch off its level": file(node(31, 5)),
    "a root that does not begin at 0": file(node(0, 2 ** 31)),
    "a byte too many": new Uint8Array([...file(node(32, 7)), 0]),
    "a wrong name": file(node(32, 7)).with(0, 0x4d),
    "another version": file(node(32, 7)).with(14, 0x32),
    "a count too high": file(node(32, 7)).with(17, 2),
    "a count too low": file(node(32, 7), node(32, 8)).with(17, 1),
    nothing: new Uint8Array(0),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(() => decodeCover(bytes)).to.throw(MalformedError);
    });
  }

  it("refuses every truncation", () => {
    const whole = encodeCover(coverOf(ROOT, 3, 9));
    for (let size = 0; size < whole.length; size++) {
      expect(() => decodeCover(whole.subarray(0, size)), `${size} bytes`).to.throw(MalformedError);
    }
  });

  it("does not encode what it would not decode", () => {
    const key = new Uint8Array(32);
    for (const wrong of [
      [
        { level: 32, first: 7, key },
        { level: 32, first: 5, key },
      ],
      [{ level: 33, first: 0, key }],
      [{ level: 32, first: 0, key: new Uint8Array(31) }],
      [{ level: 32, first: EPOCHS, key }],
      [{ level: 0.5, first: 0, key }],
      [{ level: -1, first: 0, key }],
    ]) {
      expect(() => encodeCover(wrong)).to.throw(RangeError);
    }
  });
});
