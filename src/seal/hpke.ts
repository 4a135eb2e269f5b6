import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import {
  CipherSuite,
  DhkemX25519HkdfSha256,
  HkdfSha256,
  type KemInterface,
  type RecipientContext,
  type SenderContext,
} from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { random, type Random } from "../bytes/random.ts";
import { MedSealError } from "../errors.ts";
import { x25519PublicKey } from "./x25519.ts";

/** The key encapsulation mechanisms of version 1, by their IANA number; docs/formats.md, "HPKE". */
export const KEMS = {
  "x-wing": { id: 0x647a, publicKeySize: 1216, privateKeySize: 32, encSize: 1120, seedSize: 64 },
  x25519: { id: 0x0020, publicKeySize: 32, privateKeySize: 32, encSize: 32, seedSize: 32 },
} as const;

export type KemName = keyof typeof KEMS;
export const DEFAULT_KEM: KemName = "x-wing";

/** Bytes a ciphertext has more than its plaintext: the tag. */
export const HPKE_TAG_SIZE = 16;

/** Bytes that are no key of this mechanism: wrong length, a point of small order, an ML-KEM key out of range. */
export class HpkeKeyError extends MedSealError {
  readonly code = "ERR_HPKE_KEY";

  constructor(kem: KemName, problem: string, cause?: unknown) {
    super(`no usable ${kem} key: ${problem}`, { cause });
  }
}

/** Wrapped for another key or another purpose, or altered; HPKE cannot tell which. */
export class HpkeOpenError extends MedSealError {
  readonly code = "ERR_HPKE_OPEN";

  constructor(cause?: unknown) {
    super("this key does not open what was wrapped", { cause });
  }
}

export interface HpkeKeyPair {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What HPKE gives for one message; sizes of `enc` in `KEMS`. */
export interface Wrapped {
  readonly enc: Uint8Array;
  /** As long as the plaintext and `HPKE_TAG_SIZE`. */
  readonly ciphertext: Uint8Array;
}

/** A new key pair. The private key is 32 bytes of `bytes`, as they are, with both mechanisms. */
export async function generateKeyPair(kem: KemName = DEFAULT_KEM, bytes: Random = random): Promise<HpkeKeyPair> {
  const privateKey = bytes(KEMS[kem].privateKeySize);
  return { privateKey, publicKey: await publicKeyOf(kem, privateKey) };
}

/** @throws HpkeKeyError for a wrong length. */
export async function publicKeyOf(kem: KemName, privateKey: Uint8Array): Promise<Uint8Array> {
  checkSize(kem, privateKey, "privateKeySize");
  if (kem === "x25519") return x25519PublicKey(privateKey);
  const pair = await XWING.generateKeyPairDerand(privateKey.slice());
  return new Uint8Array(await XWING.serializePublicKey(pair.publicKey));
}

/**
 * Wraps one message for the holder of a key: HPKE (RFC 9180) base mode, single shot, HKDF-SHA-256, ChaCha20-Poly1305.
 *
 * Base mode does not say who wrapped it; what is inside must.
 *
 * @param info - Purpose of the key: a label with a version.
 * @param aad - Authenticated with the message, not stored.
 * @param bytes - The encapsulation is a function of what this gives.
 * @throws HpkeKeyError when `publicKey` is not one.
 */
export async function sealTo(
  kem: KemName,
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  bytes: Random = random,
): Promise<Wrapped> {
  const context = await senderContext(kem, publicKey, info, bytes(KEMS[kem].seedSize));
  return { enc: new Uint8Array(context.enc), ciphertext: new Uint8Array(await context.seal(plaintext, aad)) };
}

/**
 * Opens what `sealTo` made, with the same info and aad.
 *
 * @throws HpkeOpenError when it is for another key, info or aad, or was altered.
 * @throws HpkeKeyError when `privateKey` is not one.
 */
export async function openWith(
  kem: KemName,
  privateKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  { enc, ciphertext }: Wrapped,
): Promise<Uint8Array> {
  const context = await recipientContext(kem, privateKey, info, enc);
  try {
    return new Uint8Array(await context.open(ciphertext, aad));
  } catch (error) {
    throw new HpkeOpenError(error);
  }
}

/**
 * The sender's side of a wrapping, for more than one message (RFC 9180, section 5.2).
 *
 * @param seed - `seedSize` bytes that the encapsulation is a function of; never used twice.
 */
export async function senderContext(
  kem: KemName,
  publicKey: Uint8Array,
  info: Uint8Array,
  seed: Uint8Array,
): Promise<SenderContext> {
  checkSize(kem, publicKey, "publicKeySize");
  checkSize(kem, seed, "seedSize");
  const suite = SUITES[kem];
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(publicKey.slice());
    return await suite.createSenderContext({ recipientPublicKey, info, ekm: seed.slice() });
  } catch (error) {
    throw new HpkeKeyError(kem, "its public key cannot be wrapped for", error);
  }
}

/** The recipient's side of a wrapping, for more than one message (RFC 9180, section 5.2). */
export async function recipientContext(
  kem: KemName,
  privateKey: Uint8Array,
  info: Uint8Array,
  enc: Uint8Array,
): Promise<RecipientContext> {
  checkSize(kem, privateKey, "privateKeySize");
  if (enc.length !== KEMS[kem].encSize) throw new HpkeOpenError();
  const suite = SUITES[kem];
  const recipientKey = await suite.kem.deserializePrivateKey(privateKey.slice());
  try {
    return await suite.createRecipientContext({ recipientKey, info, enc: enc.slice() });
  } catch (error) {
    throw new HpkeOpenError(error);
  }
}

const XWING = new XWing();

const suiteOf = (kem: KemInterface): CipherSuite =>
  new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });

const SUITES: Record<KemName, CipherSuite> = { "x-wing": suiteOf(XWING), x25519: suiteOf(new DhkemX25519HkdfSha256()) };

function checkSize(kem: KemName, key: Uint8Array, size: "publicKeySize" | "privateKeySize" | "seedSize"): void {
  if (key.length !== KEMS[kem][size]) throw new HpkeKeyError(kem, `${KEMS[kem][size]} bytes expected`);
}
