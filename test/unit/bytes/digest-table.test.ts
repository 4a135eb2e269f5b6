import { expect } from "chai";
import { hex } from "../../../src/bytes/bytes.ts";
import { DigestTable } from "../../../src/bytes/digest-table.ts";
import { random } from "../../../src/bytes/random.ts";

describe("a table of digests", () => {
  it("knows of each what was marked and no more, also as it grows", () => {
    const table = new DigestTable();
    const known = new Map<string, number>();
    // Among them many that begin alike, and are told apart only behind their first bytes.
    const digests = Array.from({ length: 40_000 }, (_, i) => {
      const digest = random(32);
      if (i % 20 === 0) digest.fill(7, 0, 30);
      return digest;
    });
    for (const [i, digest] of digests.entries()) {
      const before = known.get(hex(digest)) ?? 0;
      expect(table.mark(digest, 1 << (i % 3))).to.equal(before);
      known.set(hex(digest), before | (1 << (i % 3)));
    }
    expect(table.size).to.equal(known.size);
    for (const [i, digest] of digests.entries()) {
      expect(table.flagsOf(digest)).to.equal(known.get(hex(digest)));
      if (i % 100 === 0) expect(table.flagsOf(random(32))).to.equal(0);
    }
  });

  it("takes digests of 32 bytes only", () => {
    expect(() => new DigestTable().mark(random(31), 1)).to.throw(RangeError);
  });
});
