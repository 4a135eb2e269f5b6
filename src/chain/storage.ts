import { concat, keccak256, toBeHex } from "ethers";
import type { Hex } from "../consent/consent.ts";
import type { Entry } from "./ledger-state.ts";

/**
 * Where ConsentLedger keeps what in storage: `_entries` in slot 0, `_endedBefore` in slot 1, one slot a value; a test
 * holds it against the contract.
 */
const ENTRIES = word(0);
const ENDED_BEFORE = word(1);

export const entrySlot = (grantor: Hex, consentId: Hex): Hex =>
  mapped(consentId, mapped(toBeHex(grantor, 32), ENTRIES));

export const endedBeforeSlot = (grantor: Hex): Hex => mapped(toBeHex(grantor, 32), ENDED_BEFORE);

/** Where RecordAnchor keeps the head of a gateway: `_heads` in slot 0. */
export const headSlot = (gateway: Hex): Hex => mapped(toBeHex(gateway, 32), word(0));

/** `issuedAt` in the lowest 48 bits, then `grantedAt`, then `revokedAt`; 32 bytes. */
export const packEntry = ({ issuedAt, grantedAt, revokedAt }: Entry): Hex =>
  word((BigInt(revokedAt) << 96n) | (BigInt(grantedAt) << 48n) | BigInt(issuedAt));

/** Inverse of `packEntry`. */
export function unpackEntry(packed: Hex): Entry {
  const bits = (from: bigint): number => Number((BigInt(packed) >> from) & 0xffffffffffffn);
  return { issuedAt: bits(0n), grantedAt: bits(48n), revokedAt: bits(96n) };
}

export function word(value: number | bigint): Hex {
  return toBeHex(value, 32) as Hex;
}

const mapped = (key: string, slot: string): Hex => keccak256(concat([key, slot])) as Hex;
