import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { concat } from "../bytes/bytes.ts";

const TAG_SIZE = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag.
 *
 * Warning: GCM does not commit to its key; use `seal`, which does.
 *
 * @param key - 32 bytes.
 * @param nonce - 12 bytes, never twice under one key.
 * @returns ciphertext ‖ tag.
 */
export function aesGcmEncrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  checkSizes(key, nonce);
  // Node takes three times as long over a key that is given as bytes.
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(key), nonce, { authTagLength: TAG_SIZE }).setAAD(
    additionalData,
  );
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** Reverses `aesGcmEncrypt`. @returns `undefined` when the tag does not fit; never a part of the plaintext. */
export function aesGcmDecrypt(
  key: Uint8Array,
  nonce: Uint8Array,
  additionalData: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  checkSizes(key, nonce);
  if (ciphertext.length < TAG_SIZE) return undefined;
  const end = ciphertext.length - TAG_SIZE;
  const decipher = createDecipheriv("aes-256-gcm", createSecretKey(key), nonce, { authTagLength: TAG_SIZE })
    .setAAD(additionalData)
    .setAuthTag(ciphertext.subarray(end));
  const plaintext = decipher.update(ciphertext.subarray(0, end));
  try {
    return concat(plaintext, decipher.final());
  } catch {
    return undefined;
  }
}

function checkSizes(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== 32) throw new RangeError("AES-256-GCM takes a key of 32 bytes");
  if (nonce.length !== 12) throw new RangeError("AES-256-GCM takes a nonce of 12 bytes");
}
