import { expect } from "chai";
import { concat, equal, utf8 } from "../../../src/bytes/bytes.ts";
import { hkdf, hkdfExpand } from "../../../src/bytes/hash.ts";
import { random } from "../../../src/bytes/random.ts";
import { aesGcmDecrypt } from "../../../src/seal/aead.ts";
import { encodeContext } from "../../../src/seal/context.ts";
import { messageKey, open, openWithMessageKey, SealAlteredError, SealCommitmentError } from "../../../src/seal/seal.ts";
import { twoKeyCiphertext } from "./ghash.ts";
import { PLACE } from "./places.ts";

const CONTEXT = encodeContext(PLACE);
const NONCE = new Uint8Array(12);

/** A block built to open under two keys; its commitment can be that of one of them only. */
function twoKeyBlock(one: Uint8Array, two: Uint8Array): { block: Uint8Array; opened: (Uint8Array | undefined)[] } {
  const salt = random(32);
  const [first, second] = [one, two].map((key) => {
    const blockKey = hkdf(key, salt, CONTEXT);
    const expand = (label: string): Uint8Array => hkdfExpand(blockKey, utf8(label));
    return { aead: expand("medseal/v1/aead"), commitment: expand("medseal/v1/commit") };
  }) as [Record<"aead" | "commitment", Uint8Array>, Record<"aead" | "commitment", Uint8Array>];
  const additionalData = concat(CONTEXT, salt, first.commitment);
  const ciphertext = twoKeyCiphertext([first.aead, second.aead], additionalData, random(96));
  return {
    block: concat(salt, first.commitment, ciphertext),
    opened: [first, second].map(({ aead }) => aesGcmDecrypt(aead, NONCE, additionalData, ciphertext)),
  };
}

/* given one ciphertext that AES-256-GCM takes under two keys, as two different plaintexts
 *   open refuses it under either key: under one by its commitment, under the other by its salt */
describe("a block built to open under two keys", () => {
  it("passes AES-256-GCM under both keys and is refused by open under each", () => {
    for (let i = 0; i < 20; i++) {
      const [one, two] = [random(32), random(32)];
      const { block, opened } = twoKeyBlock(one, two);
      const [first, second] = opened;
      if (first === undefined || second === undefined) throw new Error("the collision does not hold under both keys");
      expect(equal(first, second)).to.equal(false);
      expect(() => open(two, CONTEXT, block)).to.throw(SealCommitmentError);
      expect(() => open(one, CONTEXT, block)).to.throw(SealAlteredError);
    }
  });

  it("opens by message key as the one plaintext it is committed to", () => {
    const [one, two] = [random(32), random(32)];
    const { block, opened } = twoKeyBlock(one, two);
    expect(openWithMessageKey(messageKey(one, block), CONTEXT, block)).to.deep.equal(opened[0]);
    expect(() => openWithMessageKey(messageKey(two, block), CONTEXT, block)).to.throw(SealCommitmentError);
  });
});
