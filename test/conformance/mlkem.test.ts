import { createHash } from "node:crypto";
import { XWing } from "@hpke/hybridkem-x-wing";
import { expect } from "chai";
import { concat, fromHex, hex, utf8 } from "../../src/bytes/bytes.ts";
import { HpkeKeyError, HpkeOpenError, recipientContext, senderContext, X_WING } from "../../src/seal/hpke.ts";
import { x25519, x25519PublicKey } from "../../src/seal/x25519.ts";
import { exportedSecret } from "./hpke-oracle.ts";
import { bytes, readJson, report, vectorPath, type WycheproofCase, type WycheproofGroup } from "./vectors.ts";

interface EncapsCase extends WycheproofCase {
  readonly m: string;
  readonly ek: string;
  readonly c: string;
  readonly K: string;
}

interface DecapsCase extends WycheproofCase {
  readonly seed: string;
  readonly ek?: string;
  readonly c: string;
  readonly K: string;
}

const NONE = new Uint8Array(0);
const EPHEMERAL = new Uint8Array(32).fill(7);
const RECIPIENT = new Uint8Array(32).fill(9);

describe("Wycheproof, ML-KEM-768 inside X-Wing", () => {
  it("encapsulates as published, and refuses every invalid encapsulation key", async function () {
    const file = vectorPath(this, "wycheproof", "mlkem_768_encaps_test.json");
    const tests = readJson<{ testGroups: WycheproofGroup<EncapsCase>[] }>(file).testGroups.flatMap(
      (group) => group.tests,
    );
    const [ctX, pkX] = [x25519PublicKey(EPHEMERAL), x25519PublicKey(RECIPIENT)];
    for (const { tcId, result, m, ek, c, K } of tests) {
      const encapsulation = senderContext(X_WING, concat(bytes(ek), pkX), NONE, concat(bytes(m), EPHEMERAL));
      if (result !== "valid") {
        expect(await encapsulation.catch((error: unknown) => error), `case ${tcId}`).to.be.instanceOf(HpkeKeyError);
        continue;
      }
      const context = await encapsulation;
      expect(hex(new Uint8Array(context.enc)), `case ${tcId}`).to.equal(hex(concat(bytes(c), ctX)));
      const secret = xWingSecret(bytes(K), x25519(EPHEMERAL, pkX), ctX, pkX);
      expect(hex(new Uint8Array(await context.export(NONE, 32))), `case ${tcId}`).to.equal(
        hex(exportedSecret(X_WING, secret)),
      );
    }
    report("ML-KEM-768 encapsulation", tests.length, 0, "");
  });

  // X-Wing expands its ML-KEM key from 32 bytes, the vectors give all 64: so they reach the object that our X-Wing holds, not our function.
  it("decapsulates as published, rejected ciphertexts included", async function () {
    const file = vectorPath(this, "wycheproof", "mlkem_768_test.json");
    const tests = readJson<{ testGroups: WycheproofGroup<DecapsCase>[] }>(file).testGroups.flatMap(
      (group) => group.tests,
    );
    const mlKem = new XWing()["_m"];
    const holder = { kem: X_WING, privateKey: RECIPIENT } as const;
    for (const { tcId, result, seed, ek, c, K } of tests) {
      const decapsulation = (async () => {
        const [publicKey, privateKey] = await mlKem.deriveKeyPair(bytes(seed));
        if (ek !== undefined) expect(hex(publicKey), `case ${tcId}`).to.equal(ek);
        return hex(await mlKem.decap(bytes(c), privateKey));
      })();
      if (result === "valid") expect(await decapsulation, `case ${tcId}`).to.equal(K);
      else {
        expect(await decapsulation.catch((error: unknown) => error), `case ${tcId}`).to.be.instanceOf(Error);
        if (bytes(c).length === 1088) continue;
        const opening = recipientContext(holder, NONE, concat(bytes(c), EPHEMERAL));
        expect(await opening.catch((error: unknown) => error), `case ${tcId}`).to.be.instanceOf(HpkeOpenError);
      }
    }
    report("ML-KEM-768 decapsulation", tests.length, 0, "");
  });
});

/** The combiner of draft-connolly-cfrg-xwing-kem, section 5.3, on node:crypto's SHA3. */
const xWingSecret = (ssM: Uint8Array, ssX: Uint8Array, ctX: Uint8Array, pkX: Uint8Array): Uint8Array =>
  fromHex(
    createHash("sha3-256")
      .update(concat(ssM, ssX, ctX, pkX, utf8("\\.//^\\")))
      .digest("hex"),
  );
