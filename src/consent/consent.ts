import { TypedDataEncoder, getAddress, type TypedDataField } from "ethers";
import { ALL_ACTIONS } from "./actions.ts";
import { ConsentInvalidError } from "./errors.ts";
import { isPurpose } from "./purpose.ts";

/** `0x` and hex digits. Bytes are lower case; addresses carry the EIP-55 checksum. */
export type Hex = `0x${string}`;

/**
 * Who lets whom do what with which data, for which purpose, until when: the struct of IConsentRegistry, field for field.
 * Times are whole seconds since 1970 in UTC; both windows are half-open.
 */
export interface Consent {
  readonly grantor: Hex;
  readonly grantee: Hex;
  /** 32 bytes: a stream id, or the root of a sorted list of them, see `scopeOf`. */
  readonly scope: Hex;
  /** See `PURPOSES`. */
  readonly purpose: string;
  /** Which data: effective times from `dataStart`, before `dataEnd`. Enforced by keys. */
  readonly dataStart: number;
  readonly dataEnd: number;
  /** When it may be used: from `periodStart`, before `periodEnd`. Enforced by release, tools and audit. */
  readonly periodStart: number;
  readonly periodEnd: number;
  /** Bits of `ACTIONS`; never 0. */
  readonly actions: number;
  /** 32 bytes: id of the consent that is passed on, zero for none. */
  readonly parent: Hex;
  /** 32 random bytes, known to the parties only: what keeps the id opaque. */
  readonly salt: Hex;
  /** See `renderStatement`. */
  readonly statement: string;
}

/** All that a statement is rendered from. */
export type ConsentFields = Omit<Consent, "salt" | "statement">;

export const NO_PARENT: Hex = `0x${"0".repeat(64)}`;

/** 9999-12-31T23:59:59Z, the last second that a statement can name; well within uint48. */
export const LAST_TIME = 253_402_300_799;

/** EIP-712 type of a consent; the order of its fields is that of the struct in IConsentRegistry. */
export const CONSENT_TYPE: TypedDataField[] = [
  { name: "grantor", type: "address" },
  { name: "grantee", type: "address" },
  { name: "scope", type: "bytes32" },
  { name: "purpose", type: "string" },
  { name: "dataStart", type: "uint48" },
  { name: "dataEnd", type: "uint48" },
  { name: "periodStart", type: "uint48" },
  { name: "periodEnd", type: "uint48" },
  { name: "actions", type: "uint16" },
  { name: "parent", type: "bytes32" },
  { name: "salt", type: "bytes32" },
  { name: "statement", type: "string" },
];

const encoder = TypedDataEncoder.from({ Consent: CONSENT_TYPE });

/** The id under which the chain knows a consent: its EIP-712 `hashStruct`. 32 bytes; says nothing without the salt. */
export const consentId = (consent: Consent): Hex => encoder.hash(consent) as Hex;

const BYTES32 = /^0x[0-9a-f]{64}$/;

export const isBytes32 = (value: unknown): value is Hex => typeof value === "string" && BYTES32.test(value);

/** True for 20 bytes in hex with a right EIP-55 checksum. */
export function isAddress(value: unknown): value is Hex {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(value)) return false;
  return getAddress(value.toLowerCase()) === value;
}

export const isTime = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LAST_TIME;

const ZERO_ADDRESS = `0x${"0".repeat(40)}`;

/**
 * Checks every field but salt and statement.
 *
 * @throws ConsentInvalidError that names the first field out of order.
 */
export function checkFields(fields: ConsentFields): void {
  for (const field of ["grantor", "grantee"] as const) {
    if (!isAddress(fields[field])) throw new ConsentInvalidError(field, "is not an address with its checksum");
    if (fields[field] === ZERO_ADDRESS) throw new ConsentInvalidError(field, "is the zero address");
  }
  for (const field of ["scope", "parent"] as const) {
    if (!isBytes32(fields[field])) throw new ConsentInvalidError(field, "is not 32 bytes in lower-case hex");
  }
  if (fields.scope === NO_PARENT) throw new ConsentInvalidError("scope", "is empty");
  if (!isPurpose(fields.purpose)) {
    throw new ConsentInvalidError("purpose", "is not known", "use a code such as TREAT, HPAYMT or HRESCH+DUO:0000042");
  }
  for (const window of ["data", "period"] as const) {
    const [start, end] = [fields[`${window}Start`], fields[`${window}End`]];
    if (!isTime(start)) throw new ConsentInvalidError(`${window}Start`, "is not a time in whole seconds");
    if (!isTime(end)) throw new ConsentInvalidError(`${window}End`, "is not a time in whole seconds");
    if (start >= end) throw new ConsentInvalidError(`${window}End`, `is not after ${window}Start`);
  }
  const { actions } = fields;
  if (!Number.isInteger(actions) || actions < 0 || actions > ALL_ACTIONS) {
    throw new ConsentInvalidError("actions", "has unknown bits");
  }
  if (actions === 0) throw new ConsentInvalidError("actions", "is empty", "name at least one action, such as READ");
}
