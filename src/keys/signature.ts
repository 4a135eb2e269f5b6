import { createPublicKey, verify as verifyNatively, type KeyObject } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { compare, fromHex, hex, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { random, type Random } from "../bytes/random.ts";
import { MedSealError } from "../errors.ts";

const DEVICE_LABEL = utf8("medseal/v1/device");
const DIGEST_SIZE = 32;
const SIGNATURE_SIZE = 64;
const PUBLIC_KEY_SIZE = 33;

/** Bytes that are no P-256 key: wrong length, or no point of the curve. */
export class SignatureKeyError extends MedSealError {
  readonly code = "ERR_SIGNATURE_KEY";

  constructor(cause?: unknown) {
    super("these bytes are no P-256 key", { cause });
  }
}

/** Bytes that cannot be a P-256 signature: wrong length, or r or s outside 1 to n - 1. */
export class SignatureFormatError extends MedSealError {
  readonly code = "ERR_SIGNATURE_FORMAT";

  constructor(cause?: unknown) {
    super("these bytes are no P-256 signature", { cause });
  }
}

export interface SigningKeyPair {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Compressed point (SEC 1), 33 bytes. */
  readonly publicKey: Uint8Array;
}

export function generateSigningKey(bytes: Random = random): SigningKeyPair {
  const privateKey = p256.utils.randomSecretKey(bytes(p256.lengths.seed ?? 48));
  return { privateKey, publicKey: signingPublicKeyOf(privateKey) };
}

/** The compressed public key, 33 bytes. */
export function signingPublicKeyOf(privateKey: Uint8Array): Uint8Array {
  try {
    return p256.getPublicKey(privateKey, true);
  } catch (error) {
    throw new SignatureKeyError(error);
  }
}

/**
 * Signs a digest with ECDSA over P-256, deterministically (RFC 6979, HMAC-SHA-256), s in the lower half.
 *
 * @param digest - 32 bytes; not hashed again.
 * @returns r ‖ s, 64 bytes.
 */
export function sign(privateKey: Uint8Array, digest: Uint8Array): Uint8Array {
  checkDigest(digest);
  if (!p256.utils.isValidSecretKey(privateKey)) throw new SignatureKeyError();
  return p256.sign(digest, privateKey, { prehash: false, lowS: true, format: "compact" });
}

/**
 * Checks a signature strictly: 64 bytes, r and s in range, s in the lower half, a compressed key on the curve. Anything else is `false`,
 * so that one record has one signature.
 */
export function verify(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  checkDigest(digest);
  if (signature.length !== SIGNATURE_SIZE || publicKey.length !== PUBLIC_KEY_SIZE) return false;
  try {
    return p256.verify(signature, digest, publicKey, { prehash: false, lowS: true, format: "compact" });
  } catch {
    return false;
  }
}

/** SubjectPublicKeyInfo (RFC 5480) of a P-256 key, up to its compressed point. */
const SPKI = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
/** Half the order of the curve, rounded down. */
const HALF_ORDER = fromHex("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
/** Few devices sign much. */
const KEYS_KEPT = 1024;
const imported = new Map<string, KeyObject | undefined>();
const deviceIds = new Map<string, Uint8Array>();

/** `verify` of the SHA-256 of a message, by node's own code: a hundred times as fast for who checks many of few signers. */
export function verifyMessage(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_SIZE || publicKey.length !== PUBLIC_KEY_SIZE) return false;
  if (compare(signature.subarray(32), HALF_ORDER) > 0) return false;
  const key = kept(imported, publicKey, importKey);
  return key !== undefined && verifyNatively("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}

function importKey(publicKey: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function kept<T>(cache: Map<string, T>, publicKey: Uint8Array, make: (publicKey: Uint8Array) => T): T {
  const name = hex(publicKey);
  const known = cache.get(name);
  if (known !== undefined || cache.has(name)) return known as T;
  if (cache.size === KEYS_KEPT) cache.clear();
  const made = make(publicKey);
  cache.set(name, made);
  return made;
}

/** The signature with s in the lower half, for signers that do not care: about half of what hardware and OpenSSL make. */
export function normalise(signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_SIZE) throw new SignatureFormatError();
  try {
    const parsed = p256.Signature.fromBytes(signature, "compact");
    if (!parsed.hasHighS()) return signature.slice();
    return new p256.Signature(parsed.r, p256.Point.Fn.neg(parsed.s)).toBytes("compact");
  } catch (error) {
    throw new SignatureFormatError(error);
  }
}

/**
 * The compressed form of a public key, from its compressed (33 bytes) or uncompressed (65 bytes) form.
 *
 * @throws SignatureKeyError when the point is not on the curve.
 */
export const compressed = (publicKey: Uint8Array): Uint8Array => point(publicKey).toBytes(true);

/** The id of a device: SHA-256("medseal/v1/device" ‖ uncompressed public key, 65 bytes). */
export const deviceIdOf = (publicKey: Uint8Array): Uint8Array =>
  kept(deviceIds, publicKey, (key) => sha256(DEVICE_LABEL, point(key).toBytes(false))).slice();

/** The affine coordinates of a public key in either form, 32 bytes each, as DeviceRegistry takes them. */
export function coordinatesOf(publicKey: Uint8Array): { readonly x: Uint8Array; readonly y: Uint8Array } {
  const uncompressed = point(publicKey).toBytes(false);
  return { x: uncompressed.slice(1, 33), y: uncompressed.slice(33) };
}

function point(publicKey: Uint8Array): InstanceType<typeof p256.Point> {
  try {
    return p256.Point.fromBytes(publicKey);
  } catch (error) {
    throw new SignatureKeyError(error);
  }
}

function checkDigest(digest: Uint8Array): void {
  if (digest.length !== DIGEST_SIZE) throw new RangeError("a digest has 32 bytes");
}
