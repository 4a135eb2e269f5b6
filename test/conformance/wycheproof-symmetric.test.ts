import { expect } from "chai";
import { concat, hex } from "../../src/bytes/bytes.ts";
import { hkdf } from "../../src/bytes/hash.ts";
import { aesGcmDecrypt, aesGcmEncrypt } from "../../src/seal/aead.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface GcmCase extends WycheproofCase {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

interface GcmGroup extends WycheproofGroup<GcmCase> {
  readonly ivSize: number;
  readonly keySize: number;
  readonly tagSize: number;
}

interface HkdfCase extends WycheproofCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
}

describe("Wycheproof, the symmetric part of seal", () => {
  it("AES-256-GCM with 96-bit nonces encrypts, decrypts and refuses as published", function () {
    const file = vectorPath(this, "wycheproof", "aes_gcm_test.json");
    let [run, leftOut] = [0, 0];
    for (const group of readJson<{ testGroups: GcmGroup[] }>(file).testGroups) {
      if (group.keySize !== 256 || group.ivSize !== 96 || group.tagSize !== 128) {
        leftOut += group.tests.length;
        continue;
      }
      for (const { tcId, result, ...test } of group.tests) {
        const [key, iv, aad] = [bytes(test.key), bytes(test.iv), bytes(test.aad)];
        const sealed = concat(bytes(test.ct), bytes(test.tag));
        const opened = aesGcmDecrypt(key, iv, aad, sealed);
        expect(opened && hex(opened), `case ${tcId}`).to.equal(result === "valid" ? test.msg : undefined);
        if (result === "valid") {
          expect(hex(aesGcmEncrypt(key, iv, aad, bytes(test.msg))), `case ${tcId}`).to.equal(hex(sealed));
        }
        run++;
      }
    }
    report("AES-GCM", run, leftOut, "keys of 128 or 192 bits, nonces of other sizes");
  });

  it("HKDF-SHA-256 derives as published and refuses too much output", function () {
    const file = vectorPath(this, "wycheproof", "hkdf_sha256_test.json");
    const tests = readJson<{ testGroups: WycheproofGroup<HkdfCase>[] }>(file).testGroups.flatMap(
      (group) => group.tests,
    );
    for (const { tcId, result, ikm, salt, info, size, okm } of tests) {
      const derive = (): string => hex(hkdf(bytes(ikm), bytes(salt), bytes(info), size));
      if (result === "valid") expect(derive(), `case ${tcId}`).to.equal(okm);
      else expect(derive, `case ${tcId}`).to.throw(RangeError);
    }
    report("HKDF-SHA-256", tests.length, 0, "");
  });
});
