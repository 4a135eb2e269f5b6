import type { Rule } from "./rule.ts";

/** One rule of a care plan, and who answers for it. */
export interface Watch {
  readonly rule: Rule;
  /** In the order in which they are asked; at least one. */
  readonly responders: readonly string[];
  /** Milliseconds after which the next responder is asked. */
  readonly answerWithin: number;
  /** Milliseconds that a reading may come late and still count. */
  readonly lateness: number;
  /** From this level on an alert is critical, and quiet hours do not silence it; 0, and without it, every alert is. */
  readonly criticalFrom?: number;
}

/** An alert and how far it has come. It is over when it is resolved, and not before. */
export interface Alert {
  /** The rule's name and when it began: the same whenever it is worked out again. */
  readonly id: string;
  readonly rule: string;
  readonly raisedAt: number;
  /** When its condition ended; not there while it lasts. */
  readonly clearedAt?: number;
  /** The highest level of a score card that it has reached. */
  readonly level: number;
  /** How many responders have been asked, since the asking last began, and when the last one was. */
  readonly asked: number;
  readonly askedAt: number;
  /** When the asking last began, with the first responder. */
  readonly begunAt?: number;
  /** When its condition last began again: who has not answered by then is asked once more. */
  readonly returnedAt?: number;
  /** When it got worse than somebody was told: what was answered before does not count any more. */
  readonly risenAt?: number;
  /** The level that they were told. */
  readonly risenFrom?: number;
  /** When a late reading has shown that it was not over: what was answered before does not count any more. */
  readonly reopenedAt?: number;
  readonly acknowledgedBy?: string;
  readonly resolvedBy?: string;
  /** Nobody is asked before this, unless the level rises above that at which it was snoozed. */
  readonly snooze?: { readonly until: number; readonly level: number };
  /** A late reading has shown that it should not have been. */
  readonly refuted: boolean;
}

/** Levels: that which was told before, and that which it has now. */
export interface Worse {
  readonly from: number;
  readonly to: number;
}

export const worseWords = ({ from, to }: Worse): string => `got worse, from level ${from} to level ${to}`;

/** A step in the life of an alert, or a reading that came too late to be judged. */
export type AlertEvent =
  | { readonly kind: "opened" | "cleared" | "raisedAgain" | "refuted"; readonly alert: string; readonly at: number }
  | {
      readonly kind: "notified" | "escalated";
      readonly alert: string;
      readonly at: number;
      readonly to: string;
      /** Where they are asked as it got worse. */
      readonly worse?: Worse;
    }
  | { readonly kind: "acknowledged" | "resolved"; readonly alert: string; readonly at: number; readonly by: string }
  | {
      readonly kind: "snoozed";
      readonly alert: string;
      readonly at: number;
      readonly by: string;
      readonly until: number;
    }
  | { readonly kind: "tooLate"; readonly rule: string; readonly at: number };

/** Who is said to have resolved an alert that was acknowledged and whose condition has ended. */
export const ENDED = "the end of its condition";
