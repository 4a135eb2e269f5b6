import { TypedDataEncoder, concat, id as keccakText, keccak256, toBeHex, type TypedDataDomain } from "ethers";
import { CONSENT_TYPE, type Hex } from "./consent.ts";

/** Where a signature counts: one chain, one ConsentRegistry. */
export interface RegistryAddress {
  readonly chainId: number;
  readonly registry: Hex;
}

/** EIP-712 domain of a ConsentRegistry. */
export const registryDomain = ({ chainId, registry }: RegistryAddress): TypedDataDomain => ({
  name: "MedSeal ConsentRegistry",
  version: "1",
  chainId,
  verifyingContract: registry,
});

/** EIP-712 types of the three messages; a wallet shows the whole consent in the first two. */
export const GRANT_TYPES = {
  Grant: [
    { name: "consent", type: "Consent" },
    { name: "issuedAt", type: "uint48" },
    { name: "deadline", type: "uint48" },
  ],
  Consent: CONSENT_TYPE,
};
export const REVOKE_TYPES = { Revoke: [{ name: "consent", type: "Consent" }], Consent: CONSENT_TYPE };
export const REVOKE_ALL_TYPES = {
  RevokeAll: [
    { name: "grantor", type: "address" },
    { name: "issuedAt", type: "uint48" },
  ],
};

const CONSENT_LAYOUT = `Consent(${CONSENT_TYPE.map(({ name, type }) => `${type} ${name}`).join(",")})`;
const GRANT_TYPEHASH = keccakText(`Grant(Consent consent,uint48 issuedAt,uint48 deadline)${CONSENT_LAYOUT}`);
const REVOKE_TYPEHASH = keccakText(`Revoke(Consent consent)${CONSENT_LAYOUT}`);
const REVOKE_ALL_TYPEHASH = keccakText("RevokeAll(address grantor,uint48 issuedAt)");

/**
 * What is signed, from the id alone: EIP-712 nests a struct by its hash, so whoever relays or checks a message
 * need not see the consent.
 */
export const grantDigest = (at: RegistryAddress, consentId: Hex, issuedAt: number, deadline: number): Hex =>
  digest(at, [GRANT_TYPEHASH, consentId, word(issuedAt), word(deadline)]);

export const revokeDigest = (at: RegistryAddress, consentId: Hex): Hex => digest(at, [REVOKE_TYPEHASH, consentId]);

export const revokeAllDigest = (at: RegistryAddress, grantor: Hex, issuedAt: number): Hex =>
  digest(at, [REVOKE_ALL_TYPEHASH, toBeHex(grantor, 32), word(issuedAt)]);

const word = (value: number): string => toBeHex(value, 32);

const digest = (at: RegistryAddress, words: string[]): Hex =>
  keccak256(concat(["0x1901", TypedDataEncoder.hashDomain(registryDomain(at)), keccak256(concat(words))])) as Hex;
