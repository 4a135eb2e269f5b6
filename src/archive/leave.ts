import type { Consent } from "../consent/consent.ts";
import type { InForce } from "../consent/watch.ts";
import type { Header } from "../log/header.ts";

/** The longest a gateway may take from sealing to anchoring, in seconds, unless its profile says otherwise. */
export const LONGEST_CADENCE = 3600;

/** Why a batch had no leave to be there. */
export type LeaveProblem = "outside-window" | "anchored-before-leave" | "after-leave-ended" | "anchored-late";

/**
 * Whether a batch had leave to be written: every effective time lies in the WRITE consent's data window and before it ended, and it was
 * anchored after it began and at most two cadences after it ended. Design, section 4.
 *
 * @param intervals - When the WRITE consent was in force, by final blocks.
 * @param anchoredAt - Block time of the anchor, unix seconds.
 */
export function leaveProblem(
  header: Header,
  write: Consent,
  intervals: readonly InForce[],
  anchoredAt: number,
  cadence = LONGEST_CADENCE,
): LeaveProblem | undefined {
  const empty = header.chunks.length === 0;
  if (!empty && (header.earliest < write.dataStart || header.latest >= write.dataEnd)) return "outside-window";
  const began = intervals.filter(({ from }) => from <= anchoredAt);
  if (began.length === 0) return "anchored-before-leave";
  const ends = began.map(({ until }) => Math.min(until ?? Infinity, write.periodEnd));
  if (!empty && ends.every((end) => header.latest >= end)) return "after-leave-ended";
  return ends.some((end) => anchoredAt < end + 2 * cadence) ? undefined : "anchored-late";
}
