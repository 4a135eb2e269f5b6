import { concat, fromHex, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { random, type Random } from "../bytes/random.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { isRelease, RELEASE_SIGNATURE_SIZE, signRelease, type ReleaseMessage } from "../consent/release.ts";
import type { Link } from "../consent/scope.ts";
import { NotTheGrantorError } from "../consent/errors.ts";
import type { TypedSigner } from "../consent/sign.ts";
import { MalformedError, MedSealError } from "../errors.ts";
import { generateKeyPair, HPKE_TAG_SIZE, KEMS, openWith, sealTo, type HpkeKeyPair, type KemId } from "../seal/hpke.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { decodeRelease, encodeRelease, type Release } from "./payload.ts";

const MAGIC = utf8("medseal/envelope/1\n");
/**
 * Bytes of an envelope, and of every one that goes by mail. One that holds more is a multiple of this and goes from hand to hand.
 */
export const ENVELOPE_CLASS = 16_384;

/** Whom an envelope is for: how to seal to them and how to make them find it. */
export interface Recipient {
  readonly kem: KemId;
  /** HPKE public key. */
  readonly hpkeKey: Uint8Array;
  /** X25519 public key, for mail rows only. */
  readonly viewKey: Uint8Array;
}

/** HPKE info: "medseal/v1/envelope" ‖ chain id ‖ registry. Opens on no other chain or contract. */
const info = ({ chainId, registry }: RegistryAddress): Uint8Array =>
  new ByteWriter().raw(utf8("medseal/v1/envelope")).uint(chainId, 8).fixed(fromHex(registry), 20).finish();

/** Bytes of an envelope around its plaintext. */
const around = (kem: KemId): number => preamble(kem, 0).length + KEMS[kem].enc + HPKE_TAG_SIZE;

/** Bytes of the envelope of a release of `payload` bytes. */
export const envelopeSize = (kem: KemId, payload: number): number =>
  Math.ceil((around(kem) + 4 + payload + RELEASE_SIGNATURE_SIZE) / ENVELOPE_CLASS) * ENVELOPE_CLASS;

/** Name ‖ version ‖ KEM ‖ length of enc; authenticated as AAD. */
const preamble = (kem: KemId, encSize: number): Uint8Array =>
  new ByteWriter().raw(MAGIC).uint(kem, 2).uint(encSize, 2).finish();

/** The envelope opened, and its release was not signed by the grantor of its consent: somebody made it up. */
export class ReleaseForgedError extends MedSealError {
  readonly code = "ERR_RELEASE_FORGED";

  constructor() {
    super("the release in the envelope is not signed by the grantor of its consent", {
      hint: "do not use it; tell the grantor that somebody sends keys in their name",
    });
  }
}

/**
 * Signs a release as the grantor of its last consent and seals it.
 *
 * @param signer - Of the grantor.
 * @returns a block of a multiple of `ENVELOPE_CLASS` bytes: preamble ‖ enc ‖ ciphertext.
 * @throws NotTheGrantorError when the signer is somebody else; UsageError, see `encodeRelease`.
 */
export async function sealEnvelope(
  release: Release,
  signer: TypedSigner,
  to: Recipient,
  place: RegistryAddress,
  rand: Random = random,
): Promise<Uint8Array> {
  const payload = encodeRelease(release);
  const message = toSign(release, payload);
  if ((await signer.getAddress()) !== message.consent.grantor) throw new NotTheGrantorError();
  const head = preamble(to.kem, KEMS[to.kem].enc);
  const signature = await signRelease(signer, place, message);
  const content = new ByteWriter().sized(payload, 4).fixed(signature, RELEASE_SIGNATURE_SIZE).finish();
  const padded = new Uint8Array(envelopeSize(to.kem, payload.length) - around(to.kem));
  padded.set(content);
  const { enc, ciphertext } = await sealTo(to.kem, to.hpkeKey, info(place), head, padded, rand);
  return concat(head, enc, ciphertext);
}

/**
 * Opens an envelope and checks that the grantor of its last consent signed what is in it.
 *
 * @throws MalformedError; ReleaseForgedError; the HPKE layer's error when it was sealed to somebody else, altered, or for another chain or
 * registry.
 */
export async function openEnvelope(block: Uint8Array, keys: HpkeKeyPair, place: RegistryAddress): Promise<Release> {
  if (block.length % ENVELOPE_CLASS !== 0)
    throw new MalformedError("envelope", block.length, `a multiple of ${ENVELOPE_CLASS} bytes expected`);
  const reader = new ByteReader(block, "envelope").expect(
    preamble(keys.kem, KEMS[keys.kem].enc),
    "name, version and the key's KEM",
  );
  const head = preamble(keys.kem, KEMS[keys.kem].enc);
  const enc = reader.fixed(KEMS[keys.kem].enc);
  const padded = await openWith(keys, enc, info(place), head, reader.fixed(reader.left));
  const inner = new ByteReader(padded, "envelope");
  const payload = inner.sized(4);
  const signature = inner.fixed(RELEASE_SIGNATURE_SIZE);
  if (inner.fixed(inner.left).some((byte) => byte !== 0)) inner.fail("padding is not zero");
  const release = decodeRelease(payload);
  if (!isRelease(place, toSign(release, payload), signature)) throw new ReleaseForgedError();
  return release;
}

/** The envelope is about the last consent of the chain. */
const toSign = ({ chain, issuedAt }: Release, payload: Uint8Array): ReleaseMessage => ({
  consent: (chain.at(-1) as Link).consent,
  issuedAt,
  digest: sha256(payload),
});

/**
 * A block that looks like an envelope and opens for nobody, for mail rows without mail: zeros, sealed to a key that nobody keeps. Random
 * bytes would not do, as the ciphertexts of ML-KEM are not distributed like them.
 */
export async function emptyEnvelope(kem: KemId, rand: Random): Promise<Uint8Array> {
  const head = preamble(kem, KEMS[kem].enc);
  const { publicKey } = await generateKeyPair(kem, rand);
  const zeros = new Uint8Array(ENVELOPE_CLASS - around(kem));
  const { enc, ciphertext } = await sealTo(kem, publicKey, new Uint8Array(0), head, zeros, rand);
  return concat(head, enc, ciphertext);
}
