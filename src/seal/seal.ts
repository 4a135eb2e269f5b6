import { concat, equal, utf8 } from "../bytes/bytes.ts";
import { hkdfExpand, hkdfExtract, hmac, sha256 } from "../bytes/hash.ts";
import { MalformedError, MedSealError } from "../errors.ts";
import { aesGcmDecrypt, aesGcmEncrypt } from "./aead.ts";

const SALT_LABEL = utf8("medseal/v1/salt");
const AEAD_LABEL = utf8("medseal/v1/aead");
const COMMIT_LABEL = utf8("medseal/v1/commit");

/** Every sealed block has a key of its own, so one nonce serves all. */
const NONCE = new Uint8Array(12);
const KEY_SIZE = 32;

/** Bytes a sealed block has more than its plaintext: salt 32, commitment 32, tag 16. */
export const SEAL_OVERHEAD = 80;

/** The block was sealed under another key or for another place, or its salt or commitment was altered. */
export class SealCommitmentError extends MedSealError {
  readonly code = "ERR_SEAL_COMMITMENT";

  constructor() {
    super("the sealed block does not belong to this key and context");
  }
}

/** The key and the place are right, the content is not what was sealed. */
export class SealAlteredError extends MedSealError {
  readonly code = "ERR_SEAL_ALTERED";

  constructor() {
    super("the sealed block was altered");
  }
}

/**
 * Seals a plaintext: salt(32) ‖ commitment(32) ‖ AES-256-GCM. Same input, same bytes; another plaintext, another key.
 *
 * @param key - 32 secret bytes: a key of an epoch, or one out of scrypt.
 * @param context - Canonical bytes of where the block belongs, see `encodeContext`. Authenticated, not stored.
 * @param plaintext - Padded by the caller, see `pad`; its length shows.
 * @returns `plaintext.length + SEAL_OVERHEAD` bytes.
 */
export function seal(key: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Uint8Array {
  checkKey(key);
  const salt = saltOf(key, context, plaintext);
  const { aeadKey, commitment } = blockKeys(hkdfExtract(salt, key), context);
  const ciphertext = aesGcmEncrypt(aeadKey, NONCE, concat(context, salt, commitment), plaintext);
  return concat(salt, commitment, ciphertext);
}

/**
 * Opens what `seal` made, under the same key and context.
 *
 * @throws SealCommitmentError under another key or context, before anything is decrypted.
 * @throws SealAlteredError when the ciphertext, or the plaintext its salt was made of, is another.
 * @throws MalformedError when it is too short for a sealed block.
 */
export function open(key: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  const plaintext = openWithMessageKey(messageKey(key, sealed), context, sealed);
  // Only who sealed it could have chosen another salt; then "same plaintext, same bytes" would not hold.
  if (!equal(saltOf(key, context, plaintext), split(sealed).salt)) throw new SealAlteredError();
  return plaintext;
}

/**
 * The single-use key of one sealed block: HKDF-Extract(salt, key), 32 bytes. It opens this block in its context, no other block,
 * and says nothing of `key`: so a proof about one block hands out this one.
 */
export function messageKey(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  checkKey(key);
  return hkdfExtract(split(sealed).salt, key);
}

/**
 * Opens one block with its `messageKey`. Binds key, context and plaintext to the block like `open`, but cannot tell whether its salt was
 * made by the rule, for which the key of the epoch is needed.
 *
 * @throws SealCommitmentError, SealAlteredError, MalformedError as `open` does.
 */
export function openWithMessageKey(ofMessage: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  checkKey(ofMessage);
  const { salt, commitment, ciphertext } = split(sealed);
  const expected = blockKeys(ofMessage, context);
  if (!equal(expected.commitment, commitment)) throw new SealCommitmentError();
  const plaintext = aesGcmDecrypt(expected.aeadKey, NONCE, concat(context, salt, commitment), ciphertext);
  if (plaintext === undefined) throw new SealAlteredError();
  return plaintext;
}

/** Pseudorandom to who lacks the key, so it says nothing of the plaintext. */
const saltOf = (key: Uint8Array, context: Uint8Array, plaintext: Uint8Array): Uint8Array =>
  hmac(hkdfExpand(key, SALT_LABEL), context, sha256(plaintext));

/** The context enters here, so that the commitment binds it even for who was handed a message key. */
function blockKeys(ofMessage: Uint8Array, context: Uint8Array): { aeadKey: Uint8Array; commitment: Uint8Array } {
  const blockKey = hkdfExpand(ofMessage, context);
  return { aeadKey: hkdfExpand(blockKey, AEAD_LABEL), commitment: hkdfExpand(blockKey, COMMIT_LABEL) };
}

function split(sealed: Uint8Array): { salt: Uint8Array; commitment: Uint8Array; ciphertext: Uint8Array } {
  if (sealed.length < SEAL_OVERHEAD) {
    throw new MalformedError("sealed block", sealed.length, `${SEAL_OVERHEAD} bytes expected at least`);
  }
  return { salt: sealed.subarray(0, 32), commitment: sealed.subarray(32, 64), ciphertext: sealed.subarray(64) };
}

function checkKey(key: Uint8Array): void {
  if (key.length !== KEY_SIZE) throw new RangeError("a sealing key has 32 bytes");
}
