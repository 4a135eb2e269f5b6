import type { Watch } from "../alerts/alert.ts";
import type { Placed } from "./life.ts";
import type { CarePlan, Source } from "./plan.ts";
import type { Standing } from "./standing.ts";
import type { Anchored, Truth } from "./truth.ts";

export type AlertFindingKind =
  /** The rules call for an alert, the stream has none. */
  | "missed"
  /** The stream has an alert that no reading calls for, or a second one for the same. */
  | "false"
  /** It was opened, or somebody was first asked, later than the plan allows. */
  | "late"
  /** Everybody was asked and had their time, and nobody answered. */
  | "unacknowledged"
  /** Nobody was asked, or the next one was not when the one before did not answer. */
  | "unescalated"
  /** An answer is not signed by who is said to have given it. */
  | "forged"
  /** A time of which nobody says that it was evaluated. */
  | "gap"
  /** What is said to have been evaluated is not what the readings lead to. */
  | "wrong"
  /** No data was to come, the stream says, and the chain says otherwise. */
  | "unfounded"
  /** An entry between two others is not there. */
  | "entry-missing";

export interface AlertFinding {
  readonly kind: AlertFindingKind;
  readonly rule: string;
  /** Its name, where it is about one. */
  readonly alert: string | undefined;
  /** Milliseconds. */
  readonly at: number;
  /** CID of the header of the batch that shows it. */
  readonly object: string;
  readonly text: string;
}

/** What the audit of one rule looks at. */
export interface Context {
  readonly plan: CarePlan;
  readonly watch: Watch;
  readonly from: number;
  readonly to: number;
  readonly truth: Truth | undefined;
  /** To when responders were to be asked: open alerts outlive the plan. */
  readonly until: number;
  /** The plan ended at `to`, and what was due until then was stated. */
  readonly ended: boolean;
}

/** One alert on chain, times in unix seconds. */
export interface OnChainStep {
  /** 25 bytes. */
  readonly digest: string;
  readonly raisedAt: number;
  readonly escalatedAt: number | undefined;
  readonly acknowledgedAt: number | undefined;
}

export interface AlertEvidence {
  readonly plan: CarePlan;
  /** Of the plan's stream, in the order of their numbers. */
  readonly entries: readonly Placed[];
  /** Of the streams that the plan's rules look at, in any order. */
  readonly readings: readonly Anchored[];
  /** Names of rules whose readings the auditor may not read: of them only the life of alerts is looked at. */
  readonly unread?: readonly string[];
  /** Plans of the stream that are signed to take this one's place. */
  readonly successors?: readonly string[];
  /** What stands on chain, raised by the address that writes the plan's alerts; without it nothing is said of it. */
  readonly onChain?: { readonly alerts: readonly OnChainStep[]; readonly now: number };
  /** What the chain says of a source at a time in milliseconds; without it what the stream says of it is taken as it is. */
  readonly standingOf?: (source: Source, time: number) => Standing;
  /** Milliseconds; all up to `to` is anchored. */
  readonly from: number;
  readonly to: number;
}

export const begunOf = (entries: readonly Placed[]): number | undefined =>
  entries.find(({ entry }) => entry.kind === "plan")?.entry.at;

/** Milliseconds by which two clocks may differ. */
export const CLOCK_SKEW = 60_000;
export const iso = (time: number): string => new Date(time).toISOString();
