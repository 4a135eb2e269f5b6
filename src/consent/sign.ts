import type { Signer } from "ethers";
import { now, type Now } from "../bytes/random.ts";
import { consentId, type Consent, type Hex } from "./consent.ts";
import { NotTheGrantorError, SignedMessageError } from "./errors.ts";
import type { SignedGrant, SignedRevoke, SignedRevokeAll } from "./signed.ts";
import { checkStatement } from "./statement.ts";
import { GRANT_TYPES, REVOKE_ALL_TYPES, REVOKE_TYPES, registryDomain, type RegistryAddress } from "./typed-data.ts";

/** What signing needs of an ethers `Signer`. */
export type TypedSigner = Pick<Signer, "getAddress" | "signTypedData">;

/** How far ahead of the chain's clock an `issuedAt` may lie, and how long a signed grant may wait; as in IConsentRegistry. */
export const MAX_AHEAD = 15 * 60;
export const MAX_WAIT = 7 * 24 * 60 * 60;

export interface SignOptions {
  readonly now?: Now;
  /** The grantor is a contract wallet (ERC-1271) and `signer` one of its keys. */
  readonly forContractWallet?: boolean;
}

/**
 * Signs a consent, after rendering its statement again.
 *
 * @param issuedAt - From the signer's own clock, never from a node's block: a grant dated ahead would outlive a
 * `revokeAll` that comes after it. More than 15 minutes ahead of `now` is refused.
 * @param deadline - Last second at which the chain takes it, at most 7 days after `issuedAt`.
 */
export async function signGrant(
  signer: TypedSigner,
  at: RegistryAddress,
  consent: Consent,
  options: SignOptions & { readonly issuedAt?: number; readonly deadline?: number } = {},
): Promise<SignedGrant> {
  checkStatement(consent);
  await checkSigner(signer, consent.grantor, options);
  const clock = (options.now ?? now)();
  const issuedAt = options.issuedAt ?? clock;
  const deadline = options.deadline ?? issuedAt + MAX_WAIT;
  checkIssuedAt(issuedAt, clock);
  if (deadline < issuedAt || deadline > issuedAt + MAX_WAIT) {
    throw new SignedMessageError("the deadline of a signed grant is not within 7 days after its issue");
  }
  const signature = await signer.signTypedData(registryDomain(at), GRANT_TYPES, { consent, issuedAt, deadline });
  return {
    format: "medseal-signed-grant",
    ...head(at, consent.grantor),
    consentId: consentId(consent),
    issuedAt,
    deadline,
    signature: signature as Hex,
  };
}

/** Signs the end of one consent. It counts from the moment that somebody who acts on the consent sees it. */
export async function signRevoke(
  signer: TypedSigner,
  at: RegistryAddress,
  consent: Consent,
  options: SignOptions = {},
): Promise<SignedRevoke> {
  checkStatement(consent);
  await checkSigner(signer, consent.grantor, options);
  const signature = await signer.signTypedData(registryDomain(at), REVOKE_TYPES, { consent });
  return {
    format: "medseal-signed-revoke",
    ...head(at, consent.grantor),
    consentId: consentId(consent),
    signature: signature as Hex,
  };
}

/** Signs the end of every consent that `grantor` issued until `issuedAt`, submitted or still out. */
export async function signRevokeAll(
  signer: TypedSigner,
  at: RegistryAddress,
  grantor: Hex,
  options: SignOptions & { readonly issuedAt?: number } = {},
): Promise<SignedRevokeAll> {
  await checkSigner(signer, grantor, options);
  const clock = (options.now ?? now)();
  const issuedAt = options.issuedAt ?? clock;
  checkIssuedAt(issuedAt, clock);
  const signature = await signer.signTypedData(registryDomain(at), REVOKE_ALL_TYPES, { grantor, issuedAt });
  return { format: "medseal-signed-revoke-all", ...head(at, grantor), issuedAt, signature: signature as Hex };
}

const head = (at: RegistryAddress, grantor: Hex) =>
  ({ version: 1, chainId: at.chainId, registry: at.registry, grantor }) as const;

async function checkSigner(signer: TypedSigner, grantor: Hex, options: SignOptions): Promise<void> {
  if (options.forContractWallet !== true && (await signer.getAddress()) !== grantor) throw new NotTheGrantorError();
}

function checkIssuedAt(issuedAt: number, clock: number): void {
  if (issuedAt > clock + MAX_AHEAD) {
    throw new SignedMessageError("the issue time lies in the future of the signer's clock", {
      hint: "check the clock; never take the issue time from a node",
    });
  }
}
