import { expect } from "chai";
import { utf8 } from "../../../src/bytes/bytes.ts";
import { random } from "../../../src/bytes/random.ts";
import {
  DHKEM_X25519,
  generateKeyPair,
  HPKE_TAG_SIZE,
  HpkeKeyError,
  HpkeOpenError,
  isKemId,
  KEMS,
  openWith,
  publicKeyOf,
  sealTo,
  X_WING,
} from "../../../src/seal/hpke.ts";
import { refusal } from "./places.ts";

const INFO = utf8("medseal/v1/envelope");
const AAD = utf8("aad");
const MESSAGE = utf8("a cover and a consent");

/** A view into a larger buffer, as a slice of a file is. */
const view = (bytes: Uint8Array): Uint8Array => {
  const buffer = new Uint8Array(bytes.length + 64).fill(0xee);
  buffer.set(bytes, 32);
  return buffer.subarray(32, 32 + bytes.length);
};

for (const kem of [X_WING, DHKEM_X25519] as const) {
  const sizes = KEMS[kem];

  describe(`HPKE with ${sizes.name}`, () => {
    it("opens what was wrapped for the key, in the documented sizes", async () => {
      const keys = await generateKeyPair(kem);
      expect([keys.publicKey.length, keys.privateKey.length]).to.deep.equal([sizes.publicKey, sizes.privateKey]);
      expect(await publicKeyOf(kem, keys.privateKey)).to.deep.equal(keys.publicKey);
      const { enc, ciphertext } = await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE);
      expect([enc.length, ciphertext.length]).to.deep.equal([sizes.enc, MESSAGE.length + HPKE_TAG_SIZE]);
      expect(await openWith(keys, enc, INFO, AAD, ciphertext)).to.deep.equal(MESSAGE);
    });

    it("takes views into larger buffers for every argument", async () => {
      const made = await generateKeyPair(kem);
      const keys = { kem, publicKey: view(made.publicKey), privateKey: view(made.privateKey) };
      const { enc, ciphertext } = await sealTo(kem, keys.publicKey, view(INFO), view(AAD), view(MESSAGE), (size) =>
        view(random(size)),
      );
      expect(await openWith(keys, view(enc), view(INFO), view(AAD), view(ciphertext))).to.deep.equal(MESSAGE);
      expect(await openWith(keys, enc, INFO, AAD, ciphertext)).to.deep.equal(MESSAGE);
    });

    it("is a function of the random source alone", async () => {
      const seeded = (size: number): Uint8Array => new Uint8Array(size).fill(5);
      const keys = await generateKeyPair(kem, seeded);
      expect(await generateKeyPair(kem, seeded)).to.deep.equal(keys);
      const [one, two] = [
        await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE, seeded),
        await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE, seeded),
      ];
      expect(one).to.deep.equal(two);
      expect((await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE)).enc).not.to.deep.equal(one.enc);
    });

    it("refuses another key, info, aad, enc or ciphertext", async () => {
      const [keys, others] = [await generateKeyPair(kem), await generateKeyPair(kem)];
      const { enc, ciphertext } = await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE);
      const last = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, (bytes.at(-1) as number) ^ 1);
      for (const [what, opening] of Object.entries({
        key: () => openWith(others, enc, INFO, AAD, ciphertext),
        info: () => openWith(keys, enc, AAD, AAD, ciphertext),
        aad: () => openWith(keys, enc, INFO, INFO, ciphertext),
        "first byte of enc": () => openWith(keys, enc.with(0, (enc[0] as number) ^ 1), INFO, AAD, ciphertext),
        "last byte of enc": () => openWith(keys, last(enc), INFO, AAD, ciphertext),
        tag: () => openWith(keys, enc, INFO, AAD, last(ciphertext)),
        "cut ciphertext": () => openWith(keys, enc, INFO, AAD, ciphertext.subarray(0, 15)),
        "empty ciphertext": () => openWith(keys, enc, INFO, AAD, new Uint8Array(0)),
        "cut enc": () => openWith(keys, enc.subarray(1), INFO, AAD, ciphertext),
      })) {
        expect(await refusal(opening()), what).to.be.instanceOf(HpkeOpenError);
      }
    });

    it("refuses keys and seeds of a wrong length", async () => {
      const { publicKey, privateKey } = await generateKeyPair(kem);
      const short = privateKey.subarray(1);
      const none = new Uint8Array(sizes.enc);
      for (const [what, call] of Object.entries({
        publicKeyOf: () => publicKeyOf(kem, short),
        sealTo: () => sealTo(kem, publicKey.subarray(1), INFO, AAD, MESSAGE),
        openWith: () => openWith({ kem, privateKey: short }, none, INFO, AAD, MESSAGE),
        random: () => sealTo(kem, publicKey, INFO, AAD, MESSAGE, () => new Uint8Array(1)),
      })) {
        expect(await refusal(call()), what).to.be.instanceOf(HpkeKeyError);
      }
    });

    it("refuses X25519 points of small order, on both sides", async () => {
      const keys = await generateKeyPair(kem);
      for (const u of [0, 1]) {
        const point = new Uint8Array(32);
        point[0] = u;
        const publicKey = keys.publicKey.slice();
        publicKey.set(point, publicKey.length - 32);
        expect(await refusal(sealTo(kem, publicKey, INFO, AAD, MESSAGE)), `to ${u}`).to.be.instanceOf(HpkeKeyError);
        const { enc, ciphertext } = await sealTo(kem, keys.publicKey, INFO, AAD, MESSAGE);
        enc.set(point, enc.length - 32);
        expect(await refusal(openWith(keys, enc, INFO, AAD, ciphertext)), `from ${u}`).to.be.instanceOf(HpkeOpenError);
      }
    });
  });
}

it("knows its two mechanisms by number and no other", () => {
  expect([0x647a, 0x0020].every(isKemId)).to.equal(true);
  expect([0, 0x0010, 0x0021, 0x647b].some(isKemId)).to.equal(false);
});
