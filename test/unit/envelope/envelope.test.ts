import { expect } from "chai";
import fc from "fast-check";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { keyedRandom, type Random } from "../../../src/bytes/random.ts";
import {
  emptyEnvelope,
  ENVELOPE_CLASS,
  openEnvelope,
  ReleaseForgedError,
  sealEnvelope,
} from "../../../src/envelope/envelope.ts";
import { MalformedError } from "../../../src/errors.ts";
import { NotTheGrantorError } from "../../../src/consent/errors.ts";
import type { TypedSigner } from "../../../src/consent/sign.ts";
import { generateKeyPair, HpkeOpenError, KEMS, X_WING } from "../../../src/seal/hpke.ts";
import { clinician, patient } from "../consent/samples.ts";
import { refusesTruncations, standsMutations } from "../log/mutate.ts";
import { refusal } from "../seal/places.ts";
import { anyRelease, pairs, place, rand, recipient, release, x25519 } from "./samples.ts";

/** Says that it is the patient, and signs with a key of its own. */
const pretender: TypedSigner = {
  getAddress: () => patient.getAddress(),
  signTypedData: (...given) => clinician.signTypedData(...given),
};

describe("an envelope", () => {
  for (const keys of pairs) {
    const { name } = KEMS[keys.kem];
    const to = recipient(keys);

    it(`${name}: opens to what was sealed, in a multiple of 16,384 bytes`, async () => {
      await fc.assert(
        fc.asyncProperty(anyRelease, async (any) => {
          const block = await sealEnvelope(any, patient, to, place, rand);
          expect(block.length % ENVELOPE_CLASS).to.equal(0);
          expect(await openEnvelope(block, keys, place)).to.deep.equal(any);
        }),
        { numRuns: 25 },
      );
    });

    it(`${name}: is a function of the release and the randomness`, async () => {
      const fixed = (size: number): Uint8Array => new Uint8Array(size).fill(7);
      const [a, b] = [
        await sealEnvelope(release, patient, to, place, fixed),
        await sealEnvelope(release, patient, to, place, fixed),
      ];
      expect(hex(a)).to.equal(hex(b));
      expect(hex(await sealEnvelope(release, patient, to, place, rand))).to.not.equal(hex(a));
    });

    it(`${name}: is refused for another key, chain or registry`, async () => {
      const block = await sealEnvelope(release, patient, to, place, rand);
      const other = await generateKeyPair(keys.kem, rand);
      expect(await refusal(openEnvelope(block, other, place))).to.be.instanceOf(HpkeOpenError);
      for (const elsewhere of [
        { ...place, chainId: 1 },
        { ...place, registry: release.chain[0]?.consent.grantor ?? place.registry },
      ])
        expect(await refusal(openEnvelope(block, keys, elsewhere))).to.be.instanceOf(HpkeOpenError);
    });

    it(`${name}: is refused by a key of the other KEM, before anything is opened`, async () => {
      const block = await sealEnvelope(release, patient, to, place, rand);
      const other = pairs.find(({ kem }) => kem !== keys.kem) ?? keys;
      expect(await refusal(openEnvelope(block, other, place))).to.be.instanceOf(MalformedError);
    });

    it(`${name}: without mail looks the same and opens for nobody`, async () => {
      const block = await sealEnvelope({ ...release, keys: [] }, patient, to, place, rand);
      const empty = emptyEnvelope(keys.kem, rand);
      expect(empty.length).to.equal(block.length);
      expect(hex(empty.subarray(0, 23))).to.equal(hex(block.subarray(0, 23)));
      expect(await refusal(openEnvelope(empty, keys, place))).to.be.instanceOf(HpkeOpenError);
      const again = (): Random => keyedRandom(new Uint8Array(32), utf8("padding"));
      expect(hex(emptyEnvelope(keys.kem, again()))).to.equal(hex(emptyEnvelope(keys.kem, again())));
    });

    it(`${name}: shows the wallet the whole consent and when, and of the keys a digest only`, async () => {
      const shown: unknown[] = [];
      const wallet: TypedSigner = {
        getAddress: () => patient.getAddress(),
        signTypedData(domain, types, value: Record<string, unknown>) {
          shown.push([Object.keys(types), Object.keys(value), value["consent"], value["issuedAt"]]);
          return patient.signTypedData(domain, types, value);
        },
      };
      await sealEnvelope(release, wallet, to, place, rand);
      const { consent } = release.chain[0]!;
      const parts = ["consent", "issuedAt", "digest"];
      expect(shown).to.deep.equal([[["Release", "Consent"], parts, consent, release.issuedAt]]);
    });

    it(`${name}: is refused when somebody else than the grantor signed the release`, async () => {
      const block = await sealEnvelope(release, pretender, to, place, rand);
      expect(await refusal(openEnvelope(block, keys, place))).to.be.instanceOf(ReleaseForgedError);
      expect(await refusal(sealEnvelope(release, clinician, to, place, rand))).to.be.instanceOf(NotTheGrantorError);
    });
  }

  it("without mail has an ML-KEM ciphertext like any other: random bytes would stand out", async () => {
    // FIPS 203, 4.2.1: coefficients of u are compressed from Z_3329 to 10 bits, so that 257 of the 1,024 values stand for four residues and
    // the others for three. Random bytes hit those 257 / 1024 = 25.1 % of the time, ciphertexts 4 × 257 / 3329 = 30.9 %.
    const wide = new Set<number>();
    const residues = new Map<number, number>();
    for (let x = 0; x < 3329; x++) {
      const compressed = Math.round((x * 1024) / 3329) % 1024;
      residues.set(compressed, (residues.get(compressed) ?? 0) + 1);
    }
    for (const [value, count] of residues) if (count === 4) wide.add(value);
    const share = (enc: Uint8Array): number => {
      let hits = 0;
      for (let i = 0; i < 768; i++) {
        const bit = 10 * i;
        const word = (enc[bit >> 3] as number) | ((enc[(bit >> 3) + 1] as number) << 8);
        if (wide.has((word >> (bit & 7)) & 1023)) hits += 1;
      }
      return hits / 768;
    };
    const mean = async (make: () => Promise<Uint8Array>): Promise<number> => {
      let sum = 0;
      for (let i = 0; i < 24; i++) sum += share((await make()).subarray(23, 23 + 1120));
      return sum / 24;
    };
    const to = recipient(pairs[0]!);
    const [real, empty, noise] = [
      await mean(() => sealEnvelope(release, patient, to, place, rand)),
      await mean(() => Promise.resolve(emptyEnvelope(X_WING, rand))),
      await mean(() => Promise.resolve(rand(23 + 1120))),
    ];
    expect(real).to.be.within(0.295, 0.323);
    expect(empty).to.be.within(0.295, 0.323);
    expect(noise, "so that the test can fail").to.be.below(0.27);
  });

  it("is refused in every other size", async () => {
    const block = await sealEnvelope(release, patient, recipient(x25519), place, rand);
    for (const wrong of [block.slice(0, -1), new Uint8Array([...block, 0]), block.slice(0, 23)])
      expect(await refusal(openEnvelope(wrong, x25519, place))).to.be.instanceOf(MalformedError);
    const longer = new Uint8Array(2 * ENVELOPE_CLASS);
    longer.set(block);
    expect(await refusal(openEnvelope(longer, x25519, place)), "filled up").to.be.instanceOf(HpkeOpenError);
  });

  it("stands 2,000 mutations: each is refused with a typed error", async () => {
    const block = await sealEnvelope(release, patient, recipient(x25519), place, rand);
    const decode = (bytes: Uint8Array): Promise<unknown> => openEnvelope(bytes, x25519, place);
    const count = Number(process.env["MEDSEAL_MUTATIONS"] ?? 2000);
    expect(await standsMutations("envelope", { bytes: block, decode }, count)).to.be.greaterThan(count * 0.8);
    await refusesTruncations({ bytes: block.slice(0, 200), decode });
  });
});
