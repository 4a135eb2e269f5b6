import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { concat, fromHex } from "../bytes/bytes.ts";
import { MedSealError } from "../errors.ts";

// RFC 8410, section 7 and 4: what stands before the 32 raw bytes of a key in DER.
const PRIVATE_PREFIX = fromHex("302e020100300506032b656e04220420");
const PUBLIC_PREFIX = fromHex("302a300506032b656e032100");

/** Bytes that are no X25519 key: wrong length, or a point of small order, whose shared secret everybody knows. */
export class X25519KeyError extends MedSealError {
  readonly code = "ERR_X25519_KEY";

  constructor(problem: string, cause?: unknown) {
    super(`no X25519 key: ${problem}`, { cause });
  }
}

/** The public key of 32 secret bytes; RFC 7748 clamps them on use. */
export function x25519PublicKey(privateKey: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(privateKey)).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(PUBLIC_PREFIX.length));
}

/**
 * X25519 (RFC 7748, section 5): the 32 bytes both sides share.
 *
 * @throws X25519KeyError for a wrong length and for an all-zero result (RFC 7748, section 6.1).
 */
export function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 32) throw new X25519KeyError("a public key has 32 bytes");
  const keys = { privateKey: privateKeyObject(privateKey), publicKey: publicKeyObject(publicKey) };
  let shared: Uint8Array;
  try {
    shared = new Uint8Array(diffieHellman(keys));
  } catch (error) {
    throw new X25519KeyError("the shared secret is zero", error);
  }
  // OpenSSL refuses it above; other builds of Node.js need not.
  if (shared.every((byte) => byte === 0)) throw new X25519KeyError("the shared secret is zero");
  return shared;
}

function privateKeyObject(privateKey: Uint8Array): KeyObject {
  if (privateKey.length !== 32) throw new X25519KeyError("a private key has 32 bytes");
  return createPrivateKey({ key: Buffer.from(concat(PRIVATE_PREFIX, privateKey)), format: "der", type: "pkcs8" });
}

const publicKeyObject = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(concat(PUBLIC_PREFIX, publicKey)), format: "der", type: "spki" });
