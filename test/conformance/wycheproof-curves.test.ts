import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import { compressed, verify } from "../../src/keys/signature.ts";
import { x25519, X25519KeyError } from "../../src/seal/x25519.ts";
import { normalisedOrNone, p256Groups, reportKinds } from "./p256.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface XdhCase extends WycheproofCase {
  readonly public: string;
  readonly private: string;
  readonly shared: string;
}

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
    const groups = p256Groups(this);
    for (const { publicKey, cases } of groups) {
      const key = compressed(publicKey);
      for (const { as, kind, digest, signature } of cases) {
        expect(verify(key, digest, signature), as).to.equal(kind === "low");
        const normalised = normalisedOrNone(signature);
        if (kind === "low") expect(normalised, as).to.deep.equal(signature);
        expect(normalised !== undefined && verify(key, digest, normalised), as).to.equal(kind !== "invalid");
      }
    }
    reportKinds("ECDSA P-256", groups);
  });
});
