import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { hashPairs, ManyDigests } from "../../../src/bytes/sha256-many.ts";

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** Messages of one to three blocks, enough of them for vectors to be used, and not always a multiple of four. */
const messages = fc.array(fc.uint8Array({ minLength: 40, maxLength: 140 }), { minLength: 0, maxLength: 300 });

describe("many digests at once", () => {
  it("gives the digests that one by one gives, whatever the lengths", () => {
    fc.assert(
      fc.property(messages, (all) => {
        const target = Buffer.alloc(32 * all.length);
        const digests = new ManyDigests(target);
        for (const message of all) digests.add(message);
        digests.finish();
        expect(target.equals(Buffer.concat(all.map(sha256)))).to.equal(true);
      }),
    );
  });

  it("takes more messages than fit its memory, of every length of two blocks", () => {
    const all = Array.from({ length: 2500 }, (_, i) => new Uint8Array(56 + (i % 64)).fill(i));
    const target = Buffer.alloc(32 * all.length);
    const digests = new ManyDigests(target);
    for (const message of all) digests.add(message);
    digests.finish();
    expect(target.equals(Buffer.concat(all.map(sha256)))).to.equal(true);
  });

  it("hashes pairs behind a 1, in place as well", () => {
    for (const count of [0, 1, 2, 63, 64, 65, 66, 67, 2047, 2048, 5001]) {
      const source = Buffer.from(Uint8Array.from({ length: 64 * count }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
      const pairs = Array.from({ length: count }, (_, i) => source.subarray(64 * i, 64 * i + 64));
      const wanted = Buffer.concat(pairs.map((pair) => sha256(Buffer.concat([Buffer.of(1), pair]))));
      hashPairs(source, Buffer.from(source), count);
      expect(source.subarray(0, 32 * count).equals(wanted), `${count} apart`).to.equal(true);
    }
    const place = Buffer.alloc(64 * 300, 5);
    const wanted = sha256(Buffer.alloc(65, 5).fill(1, 0, 1));
    hashPairs(place, place, 300);
    expect(place.subarray(0, 32 * 300).equals(Buffer.concat(new Array<Buffer>(300).fill(wanted)))).to.equal(true);
  });
});
