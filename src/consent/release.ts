import { recoverAddress, Signature, TypedDataEncoder } from "ethers";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import type { Hex } from "./consent.ts";
import type { TypedSigner } from "./sign.ts";
import { registryDomain, type RegistryAddress } from "./typed-data.ts";

/**
 * HPKE does not say who wrapped something, and whoever was shown a consent could make up keys for it. So the grantor signs what is released
 * under their consent: EIP-712 `Release(bytes32 consentId,bytes32 digest)` in the domain of the registry.
 */
export const RELEASE_TYPES = {
  Release: [
    { name: "consentId", type: "bytes32" },
    { name: "digest", type: "bytes32" },
  ],
};

/** Bytes of a signature r ‖ s ‖ v. */
export const RELEASE_SIGNATURE_SIZE = 65;

/** @param digest - SHA-256 of the encoded release. @returns r ‖ s ‖ v. */
export async function signRelease(
  signer: TypedSigner,
  at: RegistryAddress,
  consentId: Hex,
  digest: Uint8Array,
): Promise<Uint8Array> {
  return fromHex(await signer.signTypedData(registryDomain(at), RELEASE_TYPES, { consentId, digest }));
}

/** Whether `grantor`'s own key signed the release; low s and v of 27 or 28 only. */
export function isReleaseBy(
  grantor: Hex,
  at: RegistryAddress,
  consentId: Hex,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const v = signature[RELEASE_SIGNATURE_SIZE - 1];
  if (signature.length !== RELEASE_SIGNATURE_SIZE || (v !== 27 && v !== 28)) return false;
  const signed = TypedDataEncoder.hash(registryDomain(at), RELEASE_TYPES, { consentId, digest });
  try {
    return recoverAddress(signed, Signature.from(hex0x(signature))) === grantor;
  } catch {
    return false;
  }
}
