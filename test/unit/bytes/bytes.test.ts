import { createHmac, hkdfSync } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { compare, concat, equal, fromHex, fromUtf8, hex, hex0x, utf8 } from "../../../src/bytes/bytes.ts";
import { hkdf, hkdfExpand, hmac, sha256 } from "../../../src/bytes/hash.ts";
import { keyedRandom, random } from "../../../src/bytes/random.ts";

const bytes = fc.uint8Array({ maxLength: 200 });

describe("hex", () => {
  it("comes back as the bytes, in either case, with or without 0x", () => {
    fc.assert(
      fc.property(bytes, (some) => {
        expect(fromHex(hex(some))).to.deep.equal(some);
        expect(fromHex(hex0x(some))).to.deep.equal(some);
        expect(fromHex(hex(some).toUpperCase())).to.deep.equal(some);
      }),
    );
  });

  it("refuses other text", () => {
    for (const wrong of ["0", "0x1", "zz", "0x0x", " 00", "00\n"])
      expect(() => fromHex(wrong), wrong).to.throw(RangeError);
  });
});

describe("bytes", () => {
  it("are equal when all of them are", () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equal(a, b)).to.equal(hex(a) === hex(b));
        expect(equal(a, a.slice())).to.equal(true);
        expect(Math.sign(compare(a, b))).to.equal(-Math.sign(compare(b, a)) + 0);
        expect(hex(concat(a, b))).to.equal(hex(a) + hex(b));
      }),
    );
  });

  it("are ordered as unsigned numbers", () => {
    expect(compare(fromHex("7f"), fromHex("80"))).to.be.lessThan(0);
    expect(compare(fromHex("00ff"), fromHex("0100"))).to.be.lessThan(0);
  });

  it("come back as text, or are refused when they are none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(fromUtf8(utf8(text))).to.equal(text);
      }),
    );
    expect(() => fromUtf8(Uint8Array.of(0xff))).to.throw(TypeError);
  });
});

describe("HMAC and HKDF", () => {
  it("are those of the platform, for keys shorter and longer than a block", () => {
    fc.assert(
      fc.property(bytes, bytes, bytes, (key, salt, info) => {
        expect(hex(hmac(key, salt, info))).to.equal(createHmac("sha256", key).update(salt).update(info).digest("hex"));
        expect(hex(hkdf(key, salt, info, 77))).to.equal(
          Buffer.from(hkdfSync("sha256", key, salt, info, 77)).toString("hex"),
        );
      }),
    );
  });

  it("give no more than HKDF can", () => {
    expect(hkdfExpand(sha256(), utf8("info"), 8160).length).to.equal(8160);
    expect(hkdfExpand(sha256(), utf8("info"), 0).length).to.equal(0);
    expect(() => hkdfExpand(sha256(), utf8("info"), 8161)).to.throw(RangeError);
  });
});

describe("randomness", () => {
  it("by key is the same however it is asked for, and another for another label or key", () => {
    const key = sha256(utf8("key"));
    const whole = keyedRandom(key, utf8("a"))(100);
    const parts = keyedRandom(key, utf8("a"));
    expect(hex(concat(parts(1), parts(49), parts(0), parts(50)))).to.equal(hex(whole));
    expect(hex(keyedRandom(key, utf8("b"))(100))).to.not.equal(hex(whole));
    expect(hex(keyedRandom(sha256(key), utf8("a"))(100))).to.not.equal(hex(whole));
  });

  it("of the system has the asked length and does not repeat", () => {
    expect(random(32).length).to.equal(32);
    expect(hex(random(32))).to.not.equal(hex(random(32)));
  });
});
