import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as opensslSign,
  verify as opensslVerify,
} from "node:crypto";
import { expect } from "chai";
import { concat, fromHex, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import { random } from "../../../src/bytes/random.ts";
import {
  compressed,
  deviceIdOf,
  generateSigningKey,
  normalise,
  sign,
  SignatureFormatError,
  SignatureKeyError,
  signingPublicKeyOf,
  verify,
  verifyMessage,
} from "../../../src/keys/signature.ts";

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const scalar = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, "0"));
const sOf = (signature: Uint8Array): bigint => BigInt(`0x${hex(signature.subarray(32))}`);
const withS = (signature: Uint8Array, s: bigint): Uint8Array => concat(signature.subarray(0, 32), scalar(s));

const KEYS = generateSigningKey((size) => new Uint8Array(size).fill(0x2a));
const MESSAGE = utf8("chunk");
const DIGEST = sha256(MESSAGE);
const SIGNATURE = sign(KEYS.privateKey, DIGEST);

const openssl = (publicKey: Uint8Array): ReturnType<typeof createPublicKey> => {
  // SPKI of a compressed P-256 point: RFC 5480.
  const prefix = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
  return createPublicKey({ key: Buffer.from(concat(prefix, publicKey)), format: "der", type: "spki" });
};

describe("device signatures", () => {
  it('follows RFC 6979, A.2.5 (SHA-256, "sample"), with s in the lower half', () => {
    const key = fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    const r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    const s = 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n;
    expect(hex(sign(key, sha256(utf8("sample"))))).to.equal(r + hex(scalar(ORDER - s)));
  });

  it("is the same each time, and OpenSSL takes it", () => {
    expect(SIGNATURE.length).to.equal(64);
    expect(sign(KEYS.privateKey, DIGEST)).to.deep.equal(SIGNATURE);
    const key = { key: openssl(KEYS.publicKey), dsaEncoding: "ieee-p1363" } as const;
    expect(opensslVerify("sha256", MESSAGE, key, SIGNATURE)).to.equal(true);
  });

  it("takes OpenSSL's signatures once they are normalised", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ format: "der", type: "spki" });
    const point = compressed(new Uint8Array(spki.subarray(-65)));
    let high = 0;
    for (let i = 0; i < 24; i++) {
      const message = utf8(`message ${i}`);
      const signature = new Uint8Array(opensslSign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
      const isHigh = sOf(signature) > ORDER / 2n;
      high += isHigh ? 1 : 0;
      expect(verify(point, sha256(message), signature)).to.equal(!isHigh);
      expect(verify(point, sha256(message), normalise(signature))).to.equal(true);
    }
    expect(high).to.be.within(1, 23);
  });

  it("refuses another digest, another key and every flipped byte", () => {
    expect(verify(KEYS.publicKey, DIGEST, SIGNATURE)).to.equal(true);
    expect(verify(KEYS.publicKey, sha256(utf8("other")), SIGNATURE)).to.equal(false);
    expect(verify(generateSigningKey().publicKey, DIGEST, SIGNATURE)).to.equal(false);
    SIGNATURE.forEach((byte, i) => {
      expect(verify(KEYS.publicKey, DIGEST, SIGNATURE.with(i, byte ^ 1)), `byte ${i}`).to.equal(false);
    });
  });

  it("checks messages by the platform as strictly as digests", () => {
    expect(verifyMessage(KEYS.publicKey, MESSAGE, SIGNATURE)).to.equal(true);
    const high = withS(SIGNATURE, ORDER - sOf(SIGNATURE));
    const outside = [0n, ORDER, ORDER + 1n, 2n ** 256n - 1n].flatMap((n) => [
      withS(SIGNATURE, n),
      concat(scalar(n), SIGNATURE.subarray(32)),
    ]);
    const half = [withS(SIGNATURE, ORDER / 2n), withS(SIGNATURE, ORDER / 2n + 1n)];
    const flipped = Array.from(SIGNATURE, (byte, i) => SIGNATURE.with(i, byte ^ 1));
    const cut = [SIGNATURE.subarray(1), concat(SIGNATURE, Uint8Array.of(0)), new Uint8Array(0)];
    for (const [i, signature] of [high, ...outside, ...half, ...flipped, ...cut].entries()) {
      expect(verifyMessage(KEYS.publicKey, MESSAGE, signature), `signature ${i}`).to.equal(false);
      expect(verify(KEYS.publicKey, DIGEST, signature), `signature ${i}`).to.equal(false);
    }
    const other = generateSigningKey().publicKey;
    const [prefix] = KEYS.publicKey;
    const keys = [
      other,
      ...[0, 1, 4, 5, 6, 7, 255, (prefix as number) ^ 1].map((first) => KEYS.publicKey.with(0, first)),
      KEYS.publicKey.subarray(1),
      new Uint8Array(33),
      new Uint8Array(33).fill(255),
    ];
    for (const [i, key] of keys.entries()) {
      expect(verifyMessage(key, MESSAGE, SIGNATURE), `key ${i}`).to.equal(false);
      expect(verify(key, DIGEST, SIGNATURE), `key ${i}`).to.equal(false);
    }
    for (let i = 0; i < 20; i++) {
      const keysOf = generateSigningKey();
      const message = utf8(`message ${i}`);
      expect(verifyMessage(keysOf.publicKey, message, sign(keysOf.privateKey, sha256(message)))).to.equal(true);
    }
  });

  it("refuses r and s outside 1 to n - 1, and s in the upper half", () => {
    const s = sOf(SIGNATURE);
    for (const wrong of [0n, ORDER, ORDER - s, 2n ** 256n - 1n]) {
      expect(verify(KEYS.publicKey, DIGEST, withS(SIGNATURE, wrong))).to.equal(false);
    }
    for (const r of [0n, ORDER, 2n ** 256n - 1n]) {
      expect(verify(KEYS.publicKey, DIGEST, concat(scalar(r), scalar(s)))).to.equal(false);
    }
  });

  it("refuses other lengths, and keys that are not compressed points of the curve", () => {
    for (const size of [0, 63, 65, 70]) {
      expect(verify(KEYS.publicKey, DIGEST, new Uint8Array(size).fill(1)), `${size} bytes`).to.equal(false);
      expect(() => normalise(new Uint8Array(size))).to.throw(SignatureFormatError);
    }
    const offCurve = Array.from({ length: 50 }, (_, x) => concat(Uint8Array.of(2), scalar(BigInt(x)))).find((point) => {
      try {
        compressed(point);
        return false;
      } catch {
        return true;
      }
    });
    if (offCurve === undefined) throw new Error("all of these are on the curve");
    const uncompressed = fromHex(`04${"00".repeat(64)}`);
    for (const key of [
      offCurve,
      uncompressed,
      KEYS.publicKey.subarray(1),
      KEYS.publicKey.with(0, 4),
      new Uint8Array(0),
      new Uint8Array(1),
    ]) {
      expect(verify(key, DIGEST, SIGNATURE)).to.equal(false);
      expect(() => deviceIdOf(key)).to.throw(SignatureKeyError);
    }
  });

  it("normalises once: a low s stays, r and s out of range are refused", () => {
    const high = withS(SIGNATURE, ORDER - sOf(SIGNATURE));
    expect(normalise(SIGNATURE)).to.deep.equal(SIGNATURE);
    expect(normalise(high)).to.deep.equal(SIGNATURE);
    expect(() => normalise(withS(SIGNATURE, 0n))).to.throw(SignatureFormatError);
    expect(() => normalise(withS(SIGNATURE, ORDER))).to.throw(SignatureFormatError);
  });

  it("takes digests of 32 bytes and secret keys in range only", () => {
    for (const size of [0, 20, 31, 33, 64]) expect(() => sign(KEYS.privateKey, random(size))).to.throw(RangeError);
    for (const key of [scalar(0n), scalar(ORDER), new Uint8Array(31).fill(1), new Uint8Array(0)]) {
      expect(() => sign(key, DIGEST)).to.throw(SignatureKeyError);
      expect(() => signingPublicKeyOf(key)).to.throw(SignatureKeyError);
    }
  });

  it("makes key pairs from the random source alone", () => {
    expect(generateSigningKey((size) => new Uint8Array(size).fill(0x2a))).to.deep.equal(KEYS);
    expect(generateSigningKey().publicKey).not.to.deep.equal(KEYS.publicKey);
  });

  it("derives the device id from the uncompressed key, whichever form is given", () => {
    const scalarOf = hex(KEYS.privateKey);
    const pkcs8 = fromHex(`3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420${scalarOf}`);
    const key = createPublicKey(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
    const uncompressed = new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(-65));
    const expected = sha256(utf8("medseal/v1/device"), uncompressed);
    expect(deviceIdOf(KEYS.publicKey)).to.deep.equal(expected);
    expect(deviceIdOf(uncompressed)).to.deep.equal(expected);
    expect(compressed(uncompressed)).to.deep.equal(KEYS.publicKey);
    expect(verify(uncompressed, DIGEST, SIGNATURE), "verify takes one form only").to.equal(false);
  });
});
