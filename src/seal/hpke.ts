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

/** X-Wing: X25519 and ML-KEM-768 together; the default. */
export const X_WING = 0x647a;
/** DHKEM(X25519, HKDF-SHA-256). */
export const DHKEM_X25519 = 0x0020;

/** The key encapsulation mechanisms of version 1, by their IANA number; docs/formats.md, "HPKE". */
export type KemId = typeof X_WING | typeof DHKEM_X25519;

/** Sizes in bytes; `seed` is what one encapsulation takes from the random source. */
export const KEMS = {
  [X_WING]: { name: "X-Wing", publicKey: 1216, privateKey: 32, enc: 1120, seed: 64 },
  [DHKEM_X25519]: { name: "X25519", publicKey: 32, privateKey: 32, enc: 32, seed: 32 },
} as const;

export const isKemId = (id: number): id is KemId => id in KEMS;

/** Bytes a ciphertext has more than its plaintext: the tag. */
export const HPKE_TAG_SIZE = 16;

/** Bytes that are no key of this mechanism: wrong length, a point of small order, an ML-KEM key out of range. */
export class HpkeKeyError extends MedSealError {
  readonly code = "ERR_HPKE_KEY";

  constructor(kem: KemId, problem: string, cause?: unknown) {
    super(`no usable ${KEMS[kem].name} key: ${problem}`, { cause });
  }
}

/** Wrapped for another key or another purpose, or altered; HPKE cannot tell which. */
export class HpkeOpenError extends MedSealError {
  readonly code = "ERR_HPKE_OPEN";

  constructor(cause?: unknown) {
    super("this key does not open what was wrapped", {
      hint: "it is for somebody else, or was altered on the way: ask whoever sent it",
      cause,
    });
  }
}

export interface HpkeKeyPair {
  readonly kem: KemId;
  /** 32 bytes with both mechanisms. */
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
export async function generateKeyPair(kem: KemId = X_WING, bytes: Random = random): Promise<HpkeKeyPair> {
  const privateKey = bytes(KEMS[kem].privateKey);
  return { kem, privateKey, publicKey: await publicKeyOf(kem, privateKey) };
}

/** @throws HpkeKeyError for a wrong length. */
export async function publicKeyOf(kem: KemId, privateKey: Uint8Array): Promise<Uint8Array> {
  checkSize(kem, privateKey, "privateKey");
  if (kem === DHKEM_X25519) return x25519PublicKey(privateKey);
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
  kem: KemId,
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  bytes: Random = random,
): Promise<Wrapped> {
  const context = await senderContext(kem, publicKey, info, bytes(KEMS[kem].seed));
  return { enc: new Uint8Array(context.enc), ciphertext: new Uint8Array(await context.seal(plaintext, aad)) };
}

/**
 * Opens what `sealTo` made, with the same info and aad.
 *
 * @throws HpkeOpenError when it is for another key, info or aad, or was altered.
 * @throws HpkeKeyError when the private key is not one.
 */
export async function openWith(
  keys: Pick<HpkeKeyPair, "kem" | "privateKey">,
  enc: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const context = await recipientContext(keys, info, enc);
  try {
    return new Uint8Array(await context.open(ciphertext, aad));
  } catch (error) {
    throw new HpkeOpenError(error);
  }
}

/**
 * The sender's side of a wrapping, for more than one message (RFC 9180, section 5.2).
 *
 * @param seed - `KEMS[kem].seed` bytes that the encapsulation is a function of; never used twice.
 */
export async function senderContext(
  kem: KemId,
  publicKey: Uint8Array,
  info: Uint8Array,
  seed: Uint8Array,
): Promise<SenderContext> {
  checkSize(kem, publicKey, "publicKey");
  checkSize(kem, seed, "seed");
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
  { kem, privateKey }: Pick<HpkeKeyPair, "kem" | "privateKey">,
  info: Uint8Array,
  enc: Uint8Array,
): Promise<RecipientContext> {
  checkSize(kem, privateKey, "privateKey");
  if (enc.length !== KEMS[kem].enc) throw new HpkeOpenError();
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

const SUITES: Record<KemId, CipherSuite> = {
  [X_WING]: suiteOf(XWING),
  [DHKEM_X25519]: suiteOf(new DhkemX25519HkdfSha256()),
};

function checkSize(kem: KemId, key: Uint8Array, size: "publicKey" | "privateKey" | "seed"): void {
  if (key.length !== KEMS[kem][size]) throw new HpkeKeyError(kem, `${KEMS[kem][size]} bytes expected`);
}
