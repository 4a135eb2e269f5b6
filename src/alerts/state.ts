/** What an observation says about its input; `clock` only says what time it is. Index is the stored number. */
export const REPORTS = [
  "value",
  "missing",
  "clock",
  "resumed",
  "announcedOffline",
  "deviceRetired",
  "consentPaused",
] as const;
export type Report = (typeof REPORTS)[number];

/**
 * Whether there is something to judge, and if not, why; of several inputs the latest in this list counts.
 *
 * `waiting`: not enough values yet. `missing`: the source marked the value absent, or it has no score. `noData`: the last
 * value is older than it may be.
 */
export const STATUSES = [
  "available",
  "waiting",
  "missing",
  "noData",
  "announcedOffline",
  "deviceRetired",
  "consentPaused",
] as const;
export type Status = (typeof STATUSES)[number];

/** One thing learnt about one input; the time in milliseconds since 1970, cut off. */
export interface Observation {
  readonly time: number;
  readonly report: Report;
  readonly input: number;
  /** For a value: the decimal's digits without the point, 64 bits. */
  readonly mantissa: bigint;
  /** For a value: how many of them stand behind the point, at most 18. */
  readonly scale: number;
}

/** A value rounded to its input's digits. */
export interface Reading {
  readonly time: number;
  readonly value: bigint;
}

/** What an evaluation remembers of one input. */
export interface InputState {
  /** `available` while data is expected, else why not. */
  readonly expectation: Status;
  readonly expectedSince: number;
  readonly missing: boolean;
  /** Its time is 0 when there is none. */
  readonly latest: Reading;
}

/** All that an evaluation remembers. */
export interface State {
  readonly time: number;
  readonly active: boolean;
  /** Since when what ends this state has held; 0 when it does not. */
  readonly since: number;
  /** When `active` changed last, exactly, whenever it was noticed. */
  readonly changedAt: number;
  /** How many alerts have begun. */
  readonly alerts: number;
  readonly inputs: readonly InputState[];
  /** Earlier values, for count and rate. */
  readonly history: readonly Reading[];
}

/** What a state says at its time; without a measure `measure` and `level` are 0 and mean nothing. */
export interface Result {
  readonly status: Status;
  readonly measured: boolean;
  readonly measure: bigint;
  /** For a score: the highest level of response that is called for. */
  readonly level: number;
  readonly active: boolean;
}

/** Before the first observation. */
export const START: State = { time: 0, active: false, since: 0, changedAt: 0, alerts: 0, inputs: [], history: [] };

export const NO_READING: Reading = { time: 0, value: 0n };

/** The latest value's time, or since when one has been expected. */
export const lastHeard = ({ latest, expectedSince }: InputState): number =>
  latest.time !== 0 ? latest.time : expectedSince;
