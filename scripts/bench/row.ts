import { getBytes, hexlify, type ContractTransactionResponse } from "ethers";
import { randomBytes } from "node:crypto";
import type { Hex } from "../../src/consent/consent.ts";

/** Gas of one function in steady state, beside the least the protocol asks for its effects. */
export interface GasRow {
  readonly gas: number;
  readonly floor: number;
  readonly ratio: number;
  /** What it must not exceed, where there is such a figure. */
  readonly limit?: number;
  readonly pass?: boolean;
}

// Costs of the Osaka rules: EIP-2929 and EIP-2200 for storage, the Yellow Paper's for logs, EIP-2028 and EIP-7623 for calldata.
export const TRANSACTION = 21_000;
export const NEW_SLOT = 22_100;
export const CHANGED_SLOT = 5_000;
export const READ_SLOT = 2_100;
export const ECRECOVER = 3_000;
export const log = (topics: number, bytes: number): number => 375 + 375 * topics + 8 * bytes;

/** Intrinsic gas of a transaction with this calldata, or the floor of EIP-7623 where that is more. */
function atLeast(data: string, effects: number): number {
  const bytes = getBytes(data);
  const tokens = bytes.reduce((sum, byte) => sum + (byte === 0 ? 1 : 4), 0);
  return Math.max(TRANSACTION + 4 * tokens + effects, TRANSACTION + 10 * tokens);
}

/** 32 random bytes without a zero, so that calldata always costs the same. */
export const word = (): Hex => hexlify(randomBytes(32).map((byte) => byte || 1)) as Hex;

/** Sends a transaction and sets its gas beside the least that its calldata and effects cost. */
export async function row(
  send: () => Promise<ContractTransactionResponse>,
  effects: number,
  limit?: number,
): Promise<GasRow> {
  const sent = await send();
  const gas = Number((await sent.wait())?.gasUsed ?? 0n);
  const floor = atLeast(sent.data, effects);
  const ratio = Math.round((gas / floor) * 1000) / 1000;
  return { gas, floor, ratio, ...(limit === undefined ? {} : { limit, pass: gas <= limit }) };
}
