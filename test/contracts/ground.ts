import { randomBytes } from "node:crypto";
import { concat, hexlify, Signature, toBeHex, type TypedDataDomain, type TypedDataField } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { consentId, NO_PARENT, type Consent, type Hex } from "../../src/consent/consent.ts";
import { GRANT_TYPES, registryDomain, REVOKE_ALL_TYPES, REVOKE_TYPES } from "../../src/consent/typed-data.ts";

/** Who can sign: a wallet of the tests or a signer of the node. */
export interface Signs {
  signTypedData(domain: TypedDataDomain, types: Record<string, TypedDataField[]>, value: object): Promise<string>;
}

export const MINUTE = 60;
export const DAY = 86_400;

/** 32 random bytes without a zero, so that their calldata always costs the same. */
export const word = (): Hex => hexlify(randomBytes(32).map((byte) => (byte === 0 ? 1 : byte))) as Hex;

/** Both contracts on a fresh chain, and everybody who plays a part. The first account of the node deploys. */
export async function deployBoth({ ethers }: NetworkConnection) {
  const registry = await ethers.deployContract("ConsentRegistry");
  const anchor = await ethers.deployContract("RecordAnchor");
  const [, patient, relayer, clinician, gateway, stranger] = await ethers.getSigners();
  if (!patient || !relayer || !clinician || !gateway || !stranger) throw new Error("the node has too few accounts");
  const { chainId } = await ethers.provider.getNetwork();
  const domain = registryDomain({ chainId: Number(chainId), registry: (await registry.getAddress()) as Hex });
  return { registry, anchor, patient, relayer, clinician, gateway, stranger, domain };
}

/** A consent to read everything, for ever; what differs is named. */
export const consentOf = (grantor: string, grantee: string, differs: Partial<Consent> = {}): Consent => ({
  grantor: grantor as Hex,
  grantee: grantee as Hex,
  scope: word(),
  purpose: "TREAT",
  dataStart: 0,
  dataEnd: 4_000_000_000,
  periodStart: 0,
  periodEnd: 4_000_000_000,
  actions: 1,
  parent: NO_PARENT,
  salt: word(),
  statement: "The grantee may read the data of one stream for treatment.",
  ...differs,
});

export interface Grant {
  readonly id: Hex;
  readonly issuedAt: number;
  readonly deadline: number;
  readonly signature: string;
}

export async function signGrant(
  signer: Signs,
  domain: TypedDataDomain,
  consent: Consent,
  issuedAt: number,
  deadline = issuedAt + 7 * DAY,
): Promise<Grant> {
  const signature = await signer.signTypedData(domain, GRANT_TYPES, { consent, issuedAt, deadline });
  return { id: consentId(consent), issuedAt, deadline, signature };
}

export const signRevoke = (signer: Signs, domain: TypedDataDomain, consent: Consent): Promise<string> =>
  signer.signTypedData(domain, REVOKE_TYPES, { consent });

export const signRevokeAll = (signer: Signs, domain: TypedDataDomain, grantor: string, issuedAt: number) =>
  signer.signTypedData(domain, REVOKE_ALL_TYPES, { grantor, issuedAt });

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A good signature in every form that does not count. */
export function badForms(signature: string): Record<string, string> {
  const { r, s, v, compactSerialized } = Signature.from(signature);
  const otherV = v === 27 ? 28 : 27;
  return {
    highS: concat([r, toBeHex(ORDER - BigInt(s), 32), toBeHex(otherV)]),
    compact: compactSerialized,
    empty: "0x",
    cutOff: signature.slice(0, -2),
    oneMore: `${signature}00`,
    overLong: concat([signature, new Uint8Array(10_000)]),
    otherV: concat([r, s, toBeHex(otherV)]),
    rawV: concat([r, s, toBeHex(v - 27, 1)]),
    zeros: concat([new Uint8Array(65)]),
  };
}
