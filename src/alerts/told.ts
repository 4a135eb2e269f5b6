import type { Input } from "./rule.ts";

/** Why no data is to come from a channel, or that it is to come again. */
export const TOLD = ["consentPaused", "deviceRetired", "resumed"] as const;

/** What a monitor has learnt of channels beside their readings. */
export interface Told {
  readonly report: (typeof TOLD)[number];
  readonly channels: readonly Measured[];
  /** Milliseconds. */
  readonly time: number;
}

/** What is measured, as a rule names it. */
export type Measured = Pick<Input, "system" | "code" | "unit">;

export const isSame = (one: Measured, other: Measured): boolean =>
  one.system === other.system && one.code === other.code && one.unit === other.unit;
