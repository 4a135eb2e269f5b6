import { concat, fromHex, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { random, type Random } from "../bytes/random.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { consentId, type Consent } from "../consent/consent.ts";
import { isReleaseBy, RELEASE_SIGNATURE_SIZE, signRelease } from "../consent/release.ts";
import type { Link } from "../consent/scope.ts";
import type { TypedSigner } from "../consent/sign.ts";
import { MalformedError, MedSealError } from "../errors.ts";
import { HPKE_TAG_SIZE, KEMS, openWith, sealTo, type HpkeKeyPair, type KemId } from "../seal/hpke.ts";
import { x25519PublicKey } from "../seal/x25519.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { decodeRelease, encodeRelease, type Release } from "./payload.ts";

const MAGIC = utf8("medseal/envelope/1\n");
/** Envelopes come in multiples of this, so that their size says little. */
export const ENVELOPE_CLASS = 8192;

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
 * @returns a block of a multiple of 8,192 bytes: preamble ‖ enc ‖ ciphertext.
 */
export async function sealEnvelope(
  release: Release,
  signer: TypedSigner,
  to: Recipient,
  place: RegistryAddress,
  rand: Random = random,
): Promise<Uint8Array> {
  const payload = encodeRelease(release);
  const head = preamble(to.kem, KEMS[to.kem].enc);
  const around = head.length + KEMS[to.kem].enc + HPKE_TAG_SIZE;
  const signature = await signRelease(signer, place, consentId(ownConsent(release)), sha256(payload));
  const content = new ByteWriter().sized(payload, 4).fixed(signature, RELEASE_SIGNATURE_SIZE).finish();
  const size = Math.ceil((around + content.length) / ENVELOPE_CLASS) * ENVELOPE_CLASS;
  const padded = new Uint8Array(size - around);
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
  const consent = ownConsent(release);
  if (!isReleaseBy(consent.grantor, place, consentId(consent), sha256(payload), signature))
    throw new ReleaseForgedError();
  return release;
}

/** The consent that the envelope is about: the last of its chain. */
const ownConsent = ({ chain }: Release): Consent => (chain.at(-1) as Link).consent;

/** A block that looks like an envelope and opens for nobody, for mail rows without mail. */
export function emptyEnvelope(kem: KemId, rand: Random): Uint8Array {
  const head = preamble(kem, KEMS[kem].enc);
  // The X25519 share stands at the end of enc in both KEMs; a random string would not always be a curve point.
  const enc = concat(rand(KEMS[kem].enc - 32), x25519PublicKey(rand(32)));
  return concat(head, enc, rand(ENVELOPE_CLASS - head.length - enc.length));
}
