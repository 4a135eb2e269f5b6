import { expect } from "chai";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { keyedRandom } from "../../../src/bytes/random.ts";
import { emptyRow, mailRow, mayBeMine } from "../../../src/log/mail.ts";
import { x25519PublicKey, X25519KeyError } from "../../../src/seal/x25519.ts";

const draw = (label: string): ((size: number) => Uint8Array) => keyedRandom(new Uint8Array(32), utf8(label));

describe("a mail row", () => {
  const secret = draw("view key")(32);
  const viewKey = x25519PublicKey(secret);

  it("is always found by whom it is for", () => {
    const rand = draw("own");
    for (let i = 0; i < 300; i++)
      expect(mayBeMine(mailRow(rand(32), viewKey, rand), secret), `row ${i}`).to.equal(true);
  });

  it("looks like one's own about once in 256 when it is for somebody else", () => {
    const rand = draw("foreign");
    const count = 8_000;
    // Making a row costs three times looking at it, so some strangers' rows are looked at again with other envelopes.
    const strangers = Array.from({ length: 200 }, () => emptyRow(rand(32), rand));
    let found = 0;
    for (let i = 0; i < count / strangers.length; i++)
      for (const row of strangers) if (mayBeMine(i === 0 ? row : { ...row, envelope: rand(32) }, secret)) found++;
    // 31 expected, standard deviation 5.6; the seed is fixed, so this holds in every run or in none.
    expect(found).to.be.within(31 - 28, 31 + 28);
    console.log(`      ${found} of ${count} foreign rows fitted the view tag, ${Math.round(count / 256)} expected`);
  });

  it("is tied to its envelope", () => {
    const rand = draw("tied");
    let found = 0;
    for (let i = 0; i < 500; i++) {
      const row = mailRow(rand(32), viewKey, rand);
      if (mayBeMine({ ...row, envelope: rand(32) }, secret)) found++;
    }
    expect(found).to.be.lessThan(12);
  });

  it("is nobody's when its key is of small order, and is not made for such a view key", () => {
    const row = mailRow(draw("small")(32), viewKey, draw("small row"));
    for (const point of [new Uint8Array(32), new Uint8Array(32).fill(1, 0, 1), new Uint8Array(31)]) {
      for (let viewTag = 0; viewTag < 256; viewTag++)
        expect(mayBeMine({ ...row, ephemeral: point, viewTag }, secret)).to.equal(false);
      expect(() => mailRow(row.envelope, point, draw("row"))).to.throw(X25519KeyError);
    }
  });
});
