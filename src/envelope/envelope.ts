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
import { decoy } from "../seal/decoy.ts";
import { HPKE_TAG_SIZE, KEMS, openWith, sealTo, type HpkeKeyPair, type KemId } from "../seal/hpke.ts";
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

/** HPKE info: a label of what is inside ‖ chain id ‖ registry. Opens on no other chain or contract, and as nothing else. */
const infoOf = (label: string, { chainId, registry }: RegistryAddress): Uint8Array =>
  new ByteWriter().raw(utf8(label)).uint(chainId, 8).fixed(fromHex(registry), 20).finish();

const RELEASE_LABEL = "medseal/v1/envelope";

/** Bytes of an envelope around its plaintext. */
const around = (kem: KemId): number => preamble(kem, 0).length + KEMS[kem].enc + HPKE_TAG_SIZE;

/** Bytes of the envelope of `payload` bytes. */
export const envelopeSize = (kem: KemId, payload: number): number =>
  Math.ceil((around(kem) + 4 + payload + RELEASE_SIGNATURE_SIZE) / ENVELOPE_CLASS) * ENVELOPE_CLASS;

/** Bytes that fit an envelope that goes by mail. */
export const mailCapacity = (kem: KemId): number => ENVELOPE_CLASS - around(kem) - 4 - RELEASE_SIGNATURE_SIZE;

/** Name ‖ version ‖ KEM ‖ length of enc; authenticated as AAD. */
const preamble = (kem: KemId, encSize: number): Uint8Array =>
  new ByteWriter().raw(MAGIC).uint(kem, 2).uint(encSize, 2).finish();

/** What an envelope holds: bytes, and who signed them. */
export interface Signed {
  readonly payload: Uint8Array;
  /** r ‖ s ‖ v. */
  readonly signature: Uint8Array;
}

/** Seals signed bytes; from outside all that goes by mail looks alike, whatever the label says. */
export async function sealSigned(
  label: string,
  { payload, signature }: Signed,
  to: Pick<Recipient, "kem" | "hpkeKey">,
  place: RegistryAddress,
  rand: Random = random,
): Promise<Uint8Array> {
  const head = preamble(to.kem, KEMS[to.kem].enc);
  const content = new ByteWriter().sized(payload, 4).fixed(signature, RELEASE_SIGNATURE_SIZE).finish();
  const padded = new Uint8Array(envelopeSize(to.kem, payload.length) - around(to.kem));
  padded.set(content);
  const { enc, ciphertext } = await sealTo(to.kem, to.hpkeKey, infoOf(label, place), head, padded, rand);
  return concat(head, enc, ciphertext);
}

/** @throws MalformedError; the HPKE layer's error when it was sealed to somebody else, altered, for another place, or is something else. */
export async function openSigned(
  label: string,
  block: Uint8Array,
  keys: HpkeKeyPair,
  place: RegistryAddress,
): Promise<Signed> {
  if (block.length % ENVELOPE_CLASS !== 0)
    throw new MalformedError("envelope", block.length, `a multiple of ${ENVELOPE_CLASS} bytes expected`);
  const head = preamble(keys.kem, KEMS[keys.kem].enc);
  const reader = new ByteReader(block, "envelope").expect(head, "name, version and the key's KEM");
  const enc = reader.fixed(KEMS[keys.kem].enc);
  const padded = await openWith(keys, enc, infoOf(label, place), head, reader.fixed(reader.left));
  const inner = new ByteReader(padded, "envelope");
  const payload = inner.sized(4);
  const signature = inner.fixed(RELEASE_SIGNATURE_SIZE);
  if (inner.fixed(inner.left).some((byte) => byte !== 0)) inner.fail("padding is not zero");
  return { payload, signature };
}

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
  const signature = await signRelease(signer, place, message);
  return sealSigned(RELEASE_LABEL, { payload, signature }, to, place, rand);
}

/**
 * Opens an envelope and checks that the grantor of its last consent signed what is in it.
 *
 * @throws MalformedError; ReleaseForgedError; the HPKE layer's error when it was sealed to somebody else, altered, or for another chain or
 * registry.
 */
export async function openEnvelope(block: Uint8Array, keys: HpkeKeyPair, place: RegistryAddress): Promise<Release> {
  const { payload, signature } = await openSigned(RELEASE_LABEL, block, keys, place);
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
 * A block that looks like an envelope and opens for nobody, for mail rows without mail. Random bytes would not do, as the ciphertexts of
 * ML-KEM are not distributed like them.
 */
export function emptyEnvelope(kem: KemId, rand: Random): Uint8Array {
  const { enc, ciphertext } = decoy(kem, ENVELOPE_CLASS - around(kem), rand);
  return concat(preamble(kem, KEMS[kem].enc), enc, ciphertext);
}
