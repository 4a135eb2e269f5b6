import { recoverAddress, Signature, TypedDataEncoder } from "ethers";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import { CONSENT_TYPE, type Consent } from "./consent.ts";
import type { TypedSigner } from "./sign.ts";
import { registryDomain, type RegistryAddress } from "./typed-data.ts";

/**
 * HPKE does not say who wrapped something, and whoever was shown a consent could make up keys for it. So the grantor signs what is released
 * under their consent, in the domain of the registry. The wallet shows the whole consent and when; of the rest only a digest, as those are
 * secret keys, which no wallet should show, log or pass on.
 */
export const RELEASE_TYPES = {
  Release: [
    { name: "consent", type: "Consent" },
    { name: "issuedAt", type: "uint48" },
    { name: "digest", type: "bytes32" },
  ],
  Consent: CONSENT_TYPE,
};

/** Bytes of a signature r ‖ s ‖ v. */
export const RELEASE_SIGNATURE_SIZE = 65;

/** What the grantor of `consent` signs. */
export interface ReleaseMessage {
  readonly consent: Consent;
  /** Unix seconds. */
  readonly issuedAt: number;
  /** SHA-256 of the encoded release. */
  readonly digest: Uint8Array;
}

/** @returns r ‖ s ‖ v. */
export async function signRelease(
  signer: TypedSigner,
  at: RegistryAddress,
  message: ReleaseMessage,
): Promise<Uint8Array> {
  return fromHex(await signer.signTypedData(registryDomain(at), RELEASE_TYPES, message));
}

/** Whether the grantor's own key signed the release; low s and v of 27 or 28 only. */
export function isRelease(at: RegistryAddress, message: ReleaseMessage, signature: Uint8Array): boolean {
  const v = signature[RELEASE_SIGNATURE_SIZE - 1];
  if (signature.length !== RELEASE_SIGNATURE_SIZE || (v !== 27 && v !== 28)) return false;
  const signed = TypedDataEncoder.hash(registryDomain(at), RELEASE_TYPES, message);
  try {
    return recoverAddress(signed, Signature.from(hex0x(signature))) === message.consent.grantor;
  } catch {
    return false;
  }
}
