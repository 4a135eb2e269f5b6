/**
 * What a rule measures. Index is the stored number; one file each in `kinds/`.
 *
 * Words, fields and limits are those of `IAlertRules.Rule`.
 */
export const KINDS = ["threshold", "count", "rate", "difference", "absence", "score"] as const;
export type Kind = (typeof KINDS)[number];

/** On which side of the threshold an alert begins; the threshold is included. */
export const COMPARATORS = ["atLeast", "atMost"] as const;
export type Comparator = (typeof COMPARATORS)[number];

/** Values from `low` to `high`, both included, have this score. */
export interface Band {
  readonly low: bigint;
  readonly high: bigint;
  readonly score: number;
  /** Counts only while the value of another input lies here. */
  readonly when?: { readonly input: number; readonly low: bigint; readonly high: bigint };
}

/** One channel that a rule looks at. */
export interface Input {
  readonly system: string;
  readonly code: string;
  /** UCUM, `""` for none. */
  readonly unit: string;
  /** Digits behind the point that values are rounded to before anything else. */
  readonly digits: number;
  /** Milliseconds for which a value counts. */
  readonly maxAge: number;
  /** For count and score. The first band that holds the value gives its score; outside of all there is none. */
  readonly bands: readonly Band[];
}

/** When an alert begins and ends; durations in milliseconds. */
export interface Trigger {
  readonly comparator: Comparator;
  readonly threshold: bigint;
  readonly hysteresis: bigint;
  readonly raiseAfter: number;
  readonly clearAfter: number;
}

/** The level of response that a total, or the score of a single input, calls for; 0 is "does not count". */
export interface Response {
  readonly total: number;
  readonly single: number;
  readonly level: number;
}

/** A rule. What its kind does not use is zero or empty. */
export interface Rule {
  readonly name: string;
  readonly version: number;
  readonly kind: Kind;
  readonly inputs: readonly Input[];
  readonly trigger: Trigger;
  /** Rate: milliseconds that the change is taken over. Difference: milliseconds that the two values may lie apart. */
  readonly window: number;
  /** Rate: milliseconds that the values must span at least. */
  readonly minSpan: number;
  /** Rate: milliseconds that the threshold's rate is stated for. */
  readonly per: number;
  /** Count: the last so many values. */
  readonly readings: number;
  /** Score: by ascending level. */
  readonly responses: readonly Response[];
}

export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);
