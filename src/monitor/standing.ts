import type { ConsentWatch } from "../consent/watch.ts";
import { isSame, type Measured, type Told } from "../alerts/told.ts";
import type { CarePlan, Source } from "./plan.ts";

/** Why no data is to come from a source; undefined while it is. */
export type Standing = Exclude<Told["report"], "resumed"> | undefined;

/** When a device was retired, in unix seconds; undefined while it is in service. */
export type RetiredAt = (device: NonNullable<Source["device"]>) => number | undefined;

/** The source of a plan that measures just these channels. */
export const sourceOf = ({ sources }: CarePlan, channels: readonly Measured[]): Source | undefined =>
  sources.find(
    (source) =>
      source.channels.length === channels.length &&
      source.channels.every((one, i) => isSame(one, channels[i] as Measured)),
  );

/** As of the latest block. A device that is retired is so for good, so that it is told first. */
export function standingNow(
  { writes, device }: Source,
  watch: Pick<ConsentWatch, "inForce">,
  retiredAt: RetiredAt,
  now: number,
): Standing {
  if (device !== undefined && (retiredAt(device) ?? Infinity) <= now) return "deviceRetired";
  const holds = writes.length === 0 || writes.some((leave) => now < leave.until && watch.inForce(leave));
  return holds ? undefined : "consentPaused";
}

/** At a time that has passed, by final blocks. @param time - Unix seconds. */
export function standingAt(
  { writes, device }: Source,
  watch: Pick<ConsentWatch, "intervals">,
  retiredAt: RetiredAt,
  time: number,
): Standing {
  if (device !== undefined && (retiredAt(device) ?? Infinity) <= time) return "deviceRetired";
  const held = ({ from, until = Infinity }: { from: number; until?: number }): boolean => from <= time && time < until;
  const holds = writes.length === 0 || writes.some((leave) => time < leave.until && watch.intervals(leave).some(held));
  return holds ? undefined : "consentPaused";
}
