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
  const signed = TypedDataEncoder.hash(registryDomain(at), RELEASE_TYPES, message);
  return isSignedBy(message.consent.grantor, signed, signature);
}

/** Late readings are signed by the gateway that took them: HPKE does not say who wrapped them, and they are to stand in its archive. */
export const LATE_TYPES = {
  Late: [
    { name: "consent", type: "Consent" },
    { name: "digest", type: "bytes32" },
  ],
  Consent: CONSENT_TYPE,
};

/** What the grantee of the WRITE consent `consent` signs. */
export type LateMessage = Pick<ReleaseMessage, "consent" | "digest">;

/** @returns r ‖ s ‖ v. */
export async function signLate(signer: TypedSigner, at: RegistryAddress, message: LateMessage): Promise<Uint8Array> {
  return fromHex(await signer.signTypedData(registryDomain(at), LATE_TYPES, message));
}

/** Whether the gateway's own key signed it; low s and v of 27 or 28 only. */
export const isLate = (at: RegistryAddress, message: LateMessage, signature: Uint8Array): boolean =>
  isSignedBy(message.consent.grantee, TypedDataEncoder.hash(registryDomain(at), LATE_TYPES, message), signature);

function isSignedBy(address: string, digest: string, signature: Uint8Array): boolean {
  const v = signature[RELEASE_SIGNATURE_SIZE - 1];
  if (signature.length !== RELEASE_SIGNATURE_SIZE || (v !== 27 && v !== 28)) return false;
  try {
    return recoverAddress(digest, Signature.from(hex0x(signature))) === address;
  } catch {
    return false;
  }
}
