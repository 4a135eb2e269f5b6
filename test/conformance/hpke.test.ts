import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import {
  DHKEM_X25519,
  KEMS,
  openWith,
  publicKeyOf,
  recipientContext,
  sealTo,
  senderContext,
  X_WING,
  type KemId,
} from "../../src/seal/hpke.ts";
import { exportedSecret } from "./hpke-oracle.ts";
import { bytes, readJson, report, vectorPath } from "./vectors.ts";

interface HpkeVector {
  readonly mode: number;
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly encryptions: readonly { readonly aad: string; readonly ct: string; readonly pt: string }[];
  readonly exports: readonly {
    readonly exporter_context: string;
    readonly L: number;
    readonly exported_value: string;
  }[];
}

interface XWingVector {
  readonly seed: string;
  readonly eseed: string;
  readonly ss: string;
  readonly sk: string;
  readonly pk: string;
  readonly ct: string;
}

describe("HPKE vectors", () => {
  it("RFC 9180: base mode, DHKEM(X25519), HKDF-SHA-256, ChaCha20-Poly1305", async function () {
    await runAll(readJson(vectorPath(this, "rfc9180", "vectors_rfc9180_5f503c5.json.gz")), DHKEM_X25519, "RFC 9180");
  });

  it("HPKE-PQ: base mode, X-Wing, HKDF-SHA-256, ChaCha20-Poly1305", async function () {
    await runAll(readJson(vectorPath(this, "hpke-pq", "vectors-pq.json")), X_WING, "HPKE-PQ");
  });

  it("X-Wing: public key, encapsulation and both sides' shared secret", async function () {
    const vectors = readJson<XWingVector[]>(vectorPath(this, "xwing", "test-vectors.json"));
    const none = new Uint8Array(0);
    for (const { sk, pk, eseed, ct, ss } of vectors) {
      expect(hex(await publicKeyOf(X_WING, bytes(sk)))).to.equal(pk);
      const sender = await senderContext(X_WING, bytes(pk), none, bytes(eseed));
      const recipient = await recipientContext({ kem: X_WING, privateKey: bytes(sk) }, none, bytes(ct));
      expect(hex(new Uint8Array(sender.enc))).to.equal(ct);
      const expected = hex(exportedSecret(X_WING, bytes(ss)));
      for (const side of [sender, recipient])
        expect(hex(new Uint8Array(await side.export(none, 32)))).to.equal(expected);
    }
    report("X-Wing", vectors.length, 0, "");
  });
});

async function runAll(vectors: HpkeVector[], kem: KemId, name: string): Promise<void> {
  const ours = vectors.filter((v) => v.mode === 0 && v.kem_id === kem && v.kdf_id === 1 && v.aead_id === 3);
  let run = 0;
  for (const vector of ours) run += await runOne(vector, kem);
  const all = vectors.reduce((sum, { encryptions, exports }) => sum + encryptions.length + exports.length, 0);
  report(`${name}, encryptions and exports`, run, all - run, "other modes and suites");
}

async function runOne(vector: HpkeVector, kem: KemId): Promise<number> {
  const [privateKey, info, enc] = [bytes(vector.skRm), bytes(vector.info), bytes(vector.enc)];
  expect(hex(await publicKeyOf(kem, privateKey))).to.equal(vector.pkRm);

  const sender = await senderContext(kem, bytes(vector.pkRm), info, bytes(vector.ikmE));
  const recipient = await recipientContext({ kem, privateKey }, info, enc);
  expect(hex(new Uint8Array(sender.enc))).to.equal(vector.enc);
  for (const { aad, pt, ct } of vector.encryptions) {
    expect(hex(new Uint8Array(await sender.seal(bytes(pt), bytes(aad))))).to.equal(ct);
    expect(hex(new Uint8Array(await recipient.open(bytes(ct), bytes(aad))))).to.equal(pt);
  }
  for (const { exporter_context, L, exported_value } of vector.exports) {
    for (const side of [sender, recipient]) {
      expect(hex(new Uint8Array(await side.export(bytes(exporter_context), L)))).to.equal(exported_value);
    }
  }

  // The single-shot functions that the formats use give the first message of the context.
  const [first] = vector.encryptions;
  if (first === undefined) throw new Error("a vector without encryptions");
  const seeded = (size: number): Uint8Array => {
    expect(size).to.equal(KEMS[kem].seed);
    return bytes(vector.ikmE);
  };
  const wrapped = await sealTo(kem, bytes(vector.pkRm), info, bytes(first.aad), bytes(first.pt), seeded);
  expect([hex(wrapped.enc), hex(wrapped.ciphertext)]).to.deep.equal([vector.enc, first.ct]);
  expect(hex(await openWith({ kem, privateKey }, enc, info, bytes(first.aad), bytes(first.ct)))).to.equal(first.pt);
  return vector.encryptions.length + vector.exports.length;
}
