import { createHash } from "node:crypto";
import { expect } from "chai";
import { concat, fromHex, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { enrollmentDigest, serialCommitment, type Enrollment } from "../../../src/keys/enrollment.ts";
import {
  compressed,
  coordinatesOf,
  deviceIdOf,
  generateSigningKey,
  SignatureKeyError,
} from "../../../src/keys/signature.ts";

const KEY = generateSigningKey((size) => new Uint8Array(size).fill(0x2a)).publicKey;
const of = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte);
const ENROLLMENT: Enrollment = {
  chainId: 31_337n,
  registry: of(20, 0xa1),
  publicKey: KEY,
  modelId: of(32, 0xb2),
  serialCommitment: of(32, 0xc3),
  custodian: of(20, 0xd4),
};

describe("enrollment of a device", () => {
  it("signs the documented 193 bytes", () => {
    const message = concat(
      utf8("medseal/v1/enroll"),
      fromHex("0000000000007a69"),
      of(20, 0xa1),
      deviceIdOf(KEY),
      of(32, 0xb2),
      of(32, 0xc3),
      of(20, 0xd4),
      of(32, 0),
    );
    expect(message.length).to.equal(193);
    expect(hex(enrollmentDigest(ENROLLMENT))).to.equal(createHash("sha256").update(message).digest("hex"));
  });

  it("differs when any part does", () => {
    const others: Partial<Enrollment>[] = [
      { chainId: 1n },
      { registry: of(20, 1) },
      { publicKey: generateSigningKey().publicKey },
      { modelId: of(32, 1) },
      { serialCommitment: of(32, 1) },
      { custodian: of(20, 1) },
      { predecessorId: of(32, 1) },
    ];
    const digests = [{}, ...others].map((other) => hex(enrollmentDigest({ ...ENROLLMENT, ...other })));
    expect(new Set(digests).size).to.equal(digests.length);
  });

  it("refuses parts of another size and keys that are none", () => {
    for (const wrong of [
      { chainId: 1n << 64n },
      { registry: of(32, 1) },
      { modelId: of(31, 1) },
      { serialCommitment: of(0, 1) },
      { custodian: of(21, 1) },
      { predecessorId: of(20, 1) },
    ]) {
      expect(() => enrollmentDigest({ ...ENROLLMENT, ...wrong }), Object.keys(wrong)[0]).to.throw(RangeError);
    }
    expect(() => enrollmentDigest({ ...ENROLLMENT, publicKey: of(33, 9) })).to.throw(SignatureKeyError);
  });

  it("commits to a serial number with a salt", () => {
    const salt = of(32, 7);
    const expected = createHash("sha256").update(concat(utf8("medseal/v1/serial"), salt, utf8("SN-4711")));
    expect(hex(serialCommitment("SN-4711", salt))).to.equal(expected.digest("hex"));
    expect(hex(serialCommitment("SN-4711", of(32, 8)))).not.to.equal(hex(serialCommitment("SN-4711", salt)));
    for (const size of [0, 16, 31, 33]) expect(() => serialCommitment("SN-4711", of(size, 7))).to.throw(RangeError);
  });

  it("gives the two coordinates of a key in either form", () => {
    const { x, y } = coordinatesOf(KEY);
    const uncompressed = concat(Uint8Array.of(4), x, y);
    expect([x.length, y.length]).to.deep.equal([32, 32]);
    expect(compressed(uncompressed)).to.deep.equal(KEY);
    expect(coordinatesOf(uncompressed)).to.deep.equal({ x, y });
    expect(() => coordinatesOf(of(33, 9))).to.throw(SignatureKeyError);
  });
});
