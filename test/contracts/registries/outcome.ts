import { concat, keccak256, toBeHex, ZeroHash } from "ethers";
import type { Hex } from "../../../src/consent/consent.ts";

/** What a call comes to: the name of the error, or the events in their order. */
export type Outcome = string | readonly (readonly [event: string, ...args: unknown[]])[];

/** The value of each slot that is not zero. */
export type Slots = Map<Hex, Hex>;

export const word = (value: number | bigint | string): Hex => toBeHex(value, 32) as Hex;

/** The slot of a mapping's entry; several keys for mappings of mappings. */
export const mapped = (slot: number, ...keys: readonly string[]): Hex =>
  keys.reduce<Hex>((at, key) => keccak256(concat([word(key), at])) as Hex, word(slot));

/** A value that fills several slots, the first of them at `slot`. */
export function put(slots: Slots, slot: Hex, ...values: readonly (number | bigint | string)[]): void {
  for (const [i, value] of values.entries()) {
    const at = word(BigInt(slot) + BigInt(i));
    if (word(value) === ZeroHash) slots.delete(at);
    else slots.set(at, word(value));
  }
}

/** What stood from some second on, as OpenZeppelin's `Checkpoints` keep it. */
export interface Change<T> {
  readonly since: number;
  readonly value: T;
}

/** Of several changes in one second the last counts. */
export function change<T>(history: Change<T>[], since: number, value: T): void {
  if (history.at(-1)?.since === since) history.pop();
  history.push({ since, value });
}

export const standingAt = <T>(history: readonly Change<T>[], time: number): T | undefined =>
  history.filter(({ since }) => since <= time).at(-1)?.value;

/** The slots of a history: its length, then each change with its second in the lowest 48 bits. */
export function putHistory<T>(
  slots: Slots,
  slot: Hex,
  history: readonly Change<T>[],
  packed: (value: T) => bigint,
): void {
  put(slots, slot, history.length);
  const changes = history.map(({ since, value }) => BigInt(since) | (packed(value) << 48n));
  put(slots, keccak256(slot) as Hex, ...changes);
}
