import { expect } from "chai";
import fc from "fast-check";
import { equal, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { hmac } from "../../../src/bytes/hash.ts";
import { UsageError } from "../../../src/errors.ts";
import {
  coverOf,
  epochKey,
  epochKeys,
  narrow,
  OutsideCoverError,
  puncture,
  windowsOf,
  wipe,
  type Cover,
} from "../../../src/keys/cover.ts";
import { EPOCHS, sizeOf } from "../../../src/keys/tree.ts";

const ROOT = new Uint8Array(32).fill(3);
const LAST = EPOCHS - 1;

/** An epoch's key straight from the root, as docs/formats.md has it. */
function expectedKey(root: Uint8Array, epoch: number): Uint8Array {
  const bits = epoch.toString(2).padStart(32, "0");
  const leaf = [...bits].reduce(
    (key, bit) => hmac(key, utf8(bit === "0" ? "medseal/v1/left" : "medseal/v1/right")),
    root,
  );
  return hmac(leaf, utf8("medseal/v1/epoch"));
}

const opens = (cover: Cover, epoch: number): boolean => {
  try {
    return equal(epochKey(cover, epoch), expectedKey(ROOT, epoch));
  } catch (error) {
    if (error instanceof OutsideCoverError) return false;
    throw error;
  }
};

const nodesOf = (cover: Cover): string[] => cover.map(({ level, first, key }) => `${level}/${first}/${hex(key)}`);

const windows = fc
  .tuple(
    fc.integer({ min: 0, max: LAST }),
    fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: EPOCHS })),
  )
  .map(([from, size]) => ({ from, to: Math.min(from + size, EPOCHS) }));

/* given a root
 *   coverOf: the fewest nodes that open the window
 *   narrow, from a cover: the cover that coverOf gives for what both windows have in common
 *   puncture: opens everything as before but the window
 * given a window that is empty or outside 0 to 2^32: refused */
describe("covers of a key tree", () => {
  it("opens the whole tree by its root", () => {
    const cover = coverOf(ROOT, 0, EPOCHS);
    expect(nodesOf(cover)).to.deep.equal([`0/0/${hex(ROOT)}`]);
    for (const epoch of [0, 1, 2 ** 31 - 1, 2 ** 31, LAST]) expect(opens(cover, epoch), `${epoch}`).to.equal(true);
  });

  it("gives the key an independent implementation gives", () => {
    expect(hex(epochKey(coverOf(ROOT, 0, EPOCHS), 495_000))).to.equal(
      "9aac5a91fe0ff36e5391a6fd458d9f463a636071e6e5b2690c59b418af155af4",
    );
  });

  it("takes 62 nodes in the worst case", () => {
    expect(coverOf(ROOT, 1, LAST).length).to.equal(62);
  });

  it("takes a leaf for one epoch, at both ends of the tree", () => {
    for (const epoch of [0, 77, LAST]) {
      const cover = coverOf(ROOT, epoch, epoch + 1);
      expect(cover.map(({ level, first }) => [level, first])).to.deep.equal([[32, epoch]]);
      expect(opens(cover, epoch)).to.equal(true);
    }
  });

  it("covers exactly the window, in ascending order", () => {
    fc.assert(
      fc.property(windows, ({ from, to }) => {
        const cover = coverOf(ROOT, from, to);
        expect(windowsOf(cover)).to.deep.equal([{ from, to }]);
        return cover.every((node) => node.first % sizeOf(node) === 0);
      }),
    );
  });

  it("narrows to what coverOf gives for the common window", () => {
    fc.assert(
      fc.property(windows, windows, (one, two) => {
        const narrowed = narrow(coverOf(ROOT, one.from, one.to), two.from, two.to);
        const [from, to] = [Math.max(one.from, two.from), Math.min(one.to, two.to)];
        expect(nodesOf(narrowed)).to.deep.equal(from < to ? nodesOf(coverOf(ROOT, from, to)) : []);
      }),
    );
  });

  it("punctures a window: closed inside, as before outside", () => {
    fc.assert(
      fc.property(windows, windows, (one, two) => {
        const whole = coverOf(ROOT, one.from, one.to);
        const punctured = puncture(whole, two.from, two.to);
        for (const epoch of [one.from, one.to - 1, two.from - 1, two.from, two.to - 1, two.to]) {
          if (epoch < 0 || epoch > LAST) continue;
          const expected = one.from <= epoch && epoch < one.to && !(two.from <= epoch && epoch < two.to);
          expect(opens(punctured, epoch), `${epoch}`).to.equal(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("punctures again and again, and to nothing", () => {
    let cover = coverOf(ROOT, 1000, 2000);
    for (const from of [1100, 1300, 1200, 1900]) cover = puncture(cover, from, from + 50);
    expect(windowsOf(cover)).to.deep.equal([
      { from: 1000, to: 1100 },
      { from: 1150, to: 1200 },
      { from: 1250, to: 1300 },
      { from: 1350, to: 1900 },
      { from: 1950, to: 2000 },
    ]);
    expect(puncture(cover, 0, EPOCHS)).to.deep.equal([]);
  });

  it("keeps what was narrowed or punctured when the old cover is wiped", () => {
    const whole = coverOf(ROOT, 1000, 2000);
    const [narrowed, punctured] = [narrow(whole, 1000, 1500), puncture(whole, 1600, 1700)];
    wipe(whole);
    expect(whole.every(({ key }) => key.every((byte) => byte === 0))).to.equal(true);
    expect([
      opens(narrowed, 1000),
      opens(narrowed, 1499),
      opens(punctured, 1000),
      opens(punctured, 1999),
    ]).to.deep.equal([true, true, true, true]);
    expect(opens(whole, 1000)).to.equal(false);
  });

  it("reads epochs in any order through one reader", () => {
    const cover = puncture(coverOf(ROOT, 5, 300), 100, 120);
    const keyOf = epochKeys(cover);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 310 }), (epoch) => {
        if (epoch < 5 || epoch >= 300 || (epoch >= 100 && epoch < 120)) {
          expect(() => keyOf(epoch)).to.throw(OutsideCoverError);
        } else expect(keyOf(epoch)).to.deep.equal(expectedKey(ROOT, epoch));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses epochs outside the tree, as not permitted", () => {
    const cover = coverOf(ROOT, 0, EPOCHS);
    for (const epoch of [-1, EPOCHS, 1.5, NaN]) {
      expect(() => epochKey(cover, epoch), `${epoch}`)
        .to.throw(OutsideCoverError)
        .with.property("exit", 3);
    }
  });

  it("refuses windows that are empty or leave the tree, and roots of a wrong length", () => {
    for (const [from, to] of [
      [5, 5],
      [6, 5],
      [-1, 5],
      [0, EPOCHS + 1],
      [0.5, 2],
      [0, NaN],
    ] as const) {
      expect(() => coverOf(ROOT, from, to), `${from}..${to}`).to.throw(UsageError);
      expect(() => puncture([], from, to), `${from}..${to}`).to.throw(UsageError);
    }
    expect(() => coverOf(new Uint8Array(31), 0, 1)).to.throw(RangeError);
  });
});
