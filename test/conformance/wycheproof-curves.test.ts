import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { compressed, normalise, verify } from "../../src/keys/signature.ts";
import { x25519, X25519KeyError } from "../../src/seal/x25519.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface XdhCase extends WycheproofCase {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

interface EcdsaCase extends WycheproofCase {
  readonly msg: string;
  readonly sig: string;
}

interface EcdsaGroup extends WycheproofGroup<EcdsaCase> {
  readonly publicKey: { readonly uncompressed: string };
}

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n >> 1n;

describe("Wycheproof, curves", () => {
  it("X25519 agrees as published and refuses every all-zero shared secret", function () {
    const file = vectorPath(this, "wycheproof", "x25519_test.json");
    const tests = readJson<{ testGroups: WycheproofGroup<XdhCase>[] }>(file).testGroups.flatMap((group) => group.tests);
    let refused = 0;
    for (const { tcId, flags, shared, ...test } of tests) {
      const agree = (): string => hex(x25519(bytes(test.private), bytes(test.public)));
      if (flags.includes("ZeroSharedSecret")) {
        expect(agree, `case ${tcId}`).to.throw(X25519KeyError);
        refused++;
      } else expect(agree(), `case ${tcId}`).to.equal(shared);
    }
    expect(refused).to.equal(tests.filter(({ shared }) => /^0*$/.test(shared)).length);
    report(`X25519 (${refused} of them refused)`, tests.length, 0, "");
  });

  it("P-256: a valid low-s signature is accepted, a high-s one only once normalised, an invalid one never", function () {
    this.timeout(60_000);
    const file = vectorPath(this, "wycheproof", "ecdsa_secp256r1_sha256_p1363_test.json");
    let [low, high, invalid] = [0, 0, 0];
    for (const group of readJson<{ testGroups: EcdsaGroup[] }>(file).testGroups) {
      const key = compressed(bytes(group.publicKey.uncompressed));
      for (const { tcId, result, msg, sig } of group.tests) {
        const [digest, signature] = [sha256(bytes(msg)), bytes(sig)];
        const as = `case ${tcId}`;
        if (result !== "valid") {
          expect(verify(key, digest, signature), as).to.equal(false);
          expect(normalisedVerifies(key, digest, signature), as).to.equal(false);
          invalid++;
        } else if (BigInt(`0x${sig.slice(64)}`) > HALF_ORDER) {
          expect(verify(key, digest, signature), as).to.equal(false);
          expect(verify(key, digest, normalise(signature)), as).to.equal(true);
          high++;
        } else {
          expect(verify(key, digest, signature), as).to.equal(true);
          expect(normalise(signature), as).to.deep.equal(signature);
          low++;
        }
      }
    }
    expect(Math.min(low, high, invalid)).to.be.above(0);
    report(`ECDSA P-256 (${low} low-s, ${high} high-s, ${invalid} invalid)`, low + high + invalid, 0, "");
  });
});

/** A foreign signature goes through `normalise` first; neither step may let an invalid one in. */
function normalisedVerifies(key: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key, digest, normalise(signature));
  } catch (error) {
    expect(error).to.have.property("code", "ERR_SIGNATURE_FORMAT");
    return false;
  }
}
