import { ACTIONS } from "../consent/actions.ts";
import type { Consent } from "../consent/consent.ts";
import { NO_PARENT } from "../consent/consent.ts";
import type { InForce } from "../consent/watch.ts";
import type { Header } from "../log/header.ts";

/** The longest a gateway may take from sealing to anchoring, in seconds, unless its profile says otherwise. */
export const LONGEST_CADENCE = 3600;

/** Why a batch had no leave to be there. `not-a-leave`: the consent lets nobody write, or is passed on by somebody who is not shown. */
export type LeaveProblem =
  "not-a-leave" | "outside-window" | "anchored-before-leave" | "after-leave-ended" | "anchored-late";

/**
 * Whether a batch had leave to be written: every effective time lies in the WRITE consent's data window and before it ended, and it was
 * anchored after it began and at most two cadences after it ended; all by one and the same time in which it was in force. Design, section 4.
 *
 * @param intervals - When the WRITE consent was in force, by final blocks.
 * @param anchoredAt - Block time of the anchor, unix seconds.
 */
export function leaveProblem(
  header: Pick<Header, "chunks" | "earliest" | "latest">,
  write: Consent,
  intervals: readonly InForce[],
  anchoredAt: number,
  cadence = LONGEST_CADENCE,
): LeaveProblem | undefined {
  if ((write.actions & ACTIONS.WRITE) === 0 || write.parent !== NO_PARENT) return "not-a-leave";
  const empty = header.chunks.length === 0;
  if (!empty && (header.earliest < write.dataStart || header.latest >= write.dataEnd)) return "outside-window";
  const times = intervals.map(({ from, until }) => ({
    from: Math.max(from, write.periodStart),
    end: Math.min(until ?? Infinity, write.periodEnd),
  }));
  const begun = times.filter(({ from, end }) => from <= anchoredAt && from < end);
  if (begun.length === 0) return "anchored-before-leave";
  const before = begun.filter(({ end }) => empty || header.latest < end);
  if (before.length === 0) return "after-leave-ended";
  return before.some(({ end }) => anchoredAt < end + 2 * cadence) ? undefined : "anchored-late";
}
