import { expect } from "chai";
import fc from "fast-check";
import { equal, hex, utf8 } from "../../../src/bytes/bytes.ts";
import { MalformedError } from "../../../src/errors.ts";
import { encodeContext } from "../../../src/seal/context.ts";
import {
  messageKey,
  open,
  openWithMessageKey,
  seal,
  SEAL_OVERHEAD,
  SealAlteredError,
  SealCommitmentError,
} from "../../../src/seal/seal.ts";
import { OTHER_PLACES, PLACE } from "./places.ts";

const KEY = new Uint8Array(32).fill(0x11);
const OTHER_KEY = new Uint8Array(32).fill(0x12);
const CONTEXT = encodeContext(PLACE);
const PLAINTEXT = utf8("8867-4 /min 72 2026-03-01T00:00:00Z");

const bytes = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
const someBytes = fc.uint8Array({ maxLength: 300 });

/* given a key, a context and a plaintext
 *   seal: the same bytes every time, of the plaintext's length + 80, of another key for another plaintext
 *   open under the same key and context: the plaintext
 *   open under another key or context: refused before decrypting
 *   open after any byte was flipped, or bytes cut off or added: refused
 * given the message key of one block: it opens this block in its context, and nothing else */
describe("seal and open", () => {
  it("open inverts seal, which adds 80 bytes", () => {
    fc.assert(
      fc.property(bytes(32), someBytes, someBytes, (key, context, plaintext) => {
        const sealed = seal(key, context, plaintext);
        return sealed.length === plaintext.length + SEAL_OVERHEAD && equal(open(key, context, sealed), plaintext);
      }),
    );
  });

  it("gives the same bytes for the same plaintext, and another message key for another plaintext", () => {
    fc.assert(
      fc.property(bytes(32), someBytes, someBytes, someBytes, (key, context, one, two) => {
        const [first, again, other] = [seal(key, context, one), seal(key, context, one), seal(key, context, two)];
        const sameKey = equal(messageKey(key, first), messageKey(key, other));
        return equal(first, again) && sameKey === equal(one, two);
      }),
    );
  });

  it("takes another message key in another context, even for the same plaintext", () => {
    const keys = [PLACE, ...Object.values(OTHER_PLACES)].map((place) =>
      hex(messageKey(KEY, seal(KEY, encodeContext(place), PLAINTEXT))),
    );
    expect(new Set(keys).size).to.equal(9);
  });

  it("gives the bytes of an independent implementation", () => {
    const [salt, commitment, ciphertext] = [
      "100e9fdecc797b2b59393eb0f47461efc7753efd77f1a308234312cd0f9ecc79",
      "79c2cd3238e3cd0faa1c7ec39ec0435483522abe610e6f8206c0c4f4b3bd1f61",
      "c0006ca344a75184ddc8a6c96764cd5f85756f1946dd23",
    ];
    expect(hex(seal(KEY, CONTEXT, utf8("medseal")))).to.equal(`${salt}${commitment}${ciphertext}`);
  });

  it("refuses every flipped byte", () => {
    const sealed = seal(KEY, CONTEXT, PLAINTEXT);
    sealed.forEach((byte, i) => {
      for (const mask of [0x01, 0x80, 0xff]) {
        const altered = sealed.with(i, byte ^ mask);
        expect(() => open(KEY, CONTEXT, altered), `byte ${i}`).to.throw(
          i < 64 ? SealCommitmentError : SealAlteredError,
        );
      }
    });
  });

  it("refuses bytes cut off or added, and says which are too few for a block", () => {
    const sealed = seal(KEY, CONTEXT, PLAINTEXT);
    for (let size = 0; size < sealed.length; size++) {
      const expected = size < SEAL_OVERHEAD ? MalformedError : SealAlteredError;
      expect(() => open(KEY, CONTEXT, sealed.subarray(0, size)), `${size} bytes`).to.throw(expected);
    }
    const longer = new Uint8Array(sealed.length + 1);
    longer.set(sealed);
    expect(() => open(KEY, CONTEXT, longer)).to.throw(SealAlteredError);
  });

  it("refuses another key", () => {
    expect(() => open(OTHER_KEY, CONTEXT, seal(KEY, CONTEXT, PLAINTEXT))).to.throw(SealCommitmentError);
  });

  for (const [field, place] of Object.entries(OTHER_PLACES)) {
    it(`refuses a block moved to another ${field}`, () => {
      const sealed = seal(KEY, CONTEXT, PLAINTEXT);
      expect(() => open(KEY, encodeContext(place), sealed)).to.throw(SealCommitmentError);
      expect(() => openWithMessageKey(messageKey(KEY, sealed), encodeContext(place), sealed)).to.throw(
        SealCommitmentError,
      );
    });
  }

  it("opens one block with its message key, and no other block of the epoch", () => {
    const sealed = seal(KEY, CONTEXT, PLAINTEXT);
    const other = seal(KEY, CONTEXT, utf8("another"));
    expect(openWithMessageKey(messageKey(KEY, sealed), CONTEXT, sealed)).to.deep.equal(PLAINTEXT);
    expect(() => openWithMessageKey(messageKey(KEY, sealed), CONTEXT, other)).to.throw(SealCommitmentError);
    expect(() => open(messageKey(KEY, sealed), CONTEXT, sealed)).to.throw(SealCommitmentError);
  });

  it("takes keys of 32 bytes only", () => {
    for (const size of [0, 16, 31, 33]) {
      expect(() => seal(new Uint8Array(size), CONTEXT, PLAINTEXT)).to.throw(RangeError);
      expect(() => open(new Uint8Array(size), CONTEXT, seal(KEY, CONTEXT, PLAINTEXT))).to.throw(RangeError);
    }
  });
});
