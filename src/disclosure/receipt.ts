import { recoverAddress, TypedDataEncoder, ZeroAddress, ZeroHash } from "ethers";
import { isAddress, isBytes32, isTime, type Hex } from "../consent/consent.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { MedSealError } from "../errors.ts";

/**
 * `released`: keys for a reader; `leased`: keys for a gateway that writes; `carried`: an envelope taken for the mail, which says neither whose
 * nor under which consent; `denied`: keys were asked for, and refused.
 */
export const ACTS = ["released", "leased", "carried", "denied"] as const;
export type Act = (typeof ACTS)[number];

/** What is disclosed, as whoever does it knows it. */
export interface Disclosure {
  readonly act: Act;
  /** Id; `NOBODY`'s where it is not known, as to whoever carries. */
  readonly consent: Hex;
  readonly grantee: Hex;
  readonly dataStart: number;
  readonly dataEnd: number;
  /** SHA-256 of each envelope. */
  readonly envelopes: readonly Hex[];
  /** Code of the error with which it was denied, else empty. */
  readonly reason: string;
}

/** One line of an access ledger: signed by its holder, and bound to the line before. */
export interface Receipt extends Disclosure {
  readonly format: "medseal-receipt";
  readonly version: 1;
  readonly chainId: number;
  readonly registry: Hex;
  /** The address on the card of whoever wrote it. */
  readonly holder: Hex;
  /** From 0, without gaps. */
  readonly number: number;
  /** Digest of the receipt before; zeros for the first. */
  readonly previous: Hex;
  /** Unix seconds. */
  readonly at: number;
  readonly signature: Hex;
}

export const NOBODY = { consent: ZeroHash as Hex, grantee: ZeroAddress as Hex, dataStart: 0, dataEnd: 0 } as const;

/** A receipt or an accounting that does not follow its format. */
export class ReceiptError extends MedSealError {
  readonly code = "ERR_RECEIPT";
}

const TYPES = {
  Receipt: [
    { name: "holder", type: "address" },
    { name: "number", type: "uint48" },
    { name: "previous", type: "bytes32" },
    { name: "at", type: "uint48" },
    { name: "act", type: "string" },
    { name: "consent", type: "bytes32" },
    { name: "grantee", type: "address" },
    { name: "dataStart", type: "uint48" },
    { name: "dataEnd", type: "uint48" },
    { name: "envelopes", type: "bytes32[]" },
    { name: "reason", type: "string" },
  ],
};

const KEYS = ["format", "version", "chainId", "registry", ...TYPES.Receipt.map(({ name }) => name), "signature"];

const domainOf = ({ chainId, registry }: RegistryAddress) => ({
  name: "MedSeal disclosures",
  version: "1",
  chainId,
  verifyingContract: registry,
});

type Unsigned = Omit<Receipt, "format" | "version" | "chainId" | "registry" | "signature">;

const signedFields = (receipt: Unsigned): Unsigned =>
  Object.fromEntries(TYPES.Receipt.map(({ name }) => [name, receipt[name as keyof Unsigned]])) as unknown as Unsigned;

export async function signReceipt(signer: TypedSigner, at: RegistryAddress, fields: Unsigned): Promise<Receipt> {
  const signature = await signer.signTypedData(domainOf(at), TYPES, signedFields(fields));
  const place = { chainId: at.chainId, registry: at.registry };
  return { format: "medseal-receipt", version: 1, ...place, ...fields, signature: signature as Hex };
}

/** What the signature is over, and what the next receipt names. 32 bytes. */
export const receiptDigest = (receipt: Receipt): Hex =>
  TypedDataEncoder.hash(domainOf(receipt), TYPES, signedFields(receipt)) as Hex;

/** Whether its holder's own key signed it. */
export function isSigned(receipt: Receipt): boolean {
  try {
    return recoverAddress(receiptDigest(receipt), receipt.signature) === receipt.holder;
  } catch {
    return false;
  }
}

/** @throws ReceiptError that names the field at fault; the signature is not checked. */
export function checkReceipt(value: unknown): Receipt {
  const fail = (field: string): never => {
    throw new ReceiptError(`a receipt is not valid: ${field}`);
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail("not an object");
  const receipt = value as Record<string, unknown>;
  if (Object.keys(receipt).length !== KEYS.length) fail("keys too many or missing");
  for (const key of KEYS) if (!Object.hasOwn(receipt, key) || !CHECKS[key]?.(receipt[key])) fail(key);
  return value as Receipt;
}

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  format: (value) => value === "medseal-receipt",
  version: (value) => value === 1,
  chainId: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  registry: isAddress,
  holder: isAddress,
  number: isTime,
  previous: isBytes32,
  at: isTime,
  act: (value) => (ACTS as readonly unknown[]).includes(value),
  consent: isBytes32,
  grantee: isAddress,
  dataStart: isTime,
  dataEnd: isTime,
  envelopes: (value) => Array.isArray(value) && value.every(isBytes32),
  reason: (value) => typeof value === "string" && /^(?:ERR_[A-Z0-9_]{1,60})?$/.test(value),
  signature: (value) => typeof value === "string" && /^0x[0-9a-f]{128}1[bc]$/.test(value),
};
