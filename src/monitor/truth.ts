import type { Watch } from "../alerts/alert.ts";
import { evaluate } from "../alerts/evaluate.ts";
import { observationsFor } from "../alerts/reading.ts";
import type { Rule } from "../alerts/rule.ts";
import { lastHeard, type Observation, type State, type Status } from "../alerts/state.ts";
import { clockAt, order } from "../alerts/timeline.ts";
import type { Heard } from "../alerts/reading.ts";
import type { Placed } from "./life.ts";

/** An anchored reading, or what a monitor wrote of why there is none, and the sealed object that holds it. */
export interface Anchored {
  readonly recorded: Heard;
  /** CID of the header of its batch. */
  readonly object: string;
}

/** All that rules could hear of: what is anchored, and what the monitor learnt beside it. */
export const heardIn = (readings: readonly Anchored[], entries: readonly Placed[]): readonly Anchored[] => [
  ...readings,
  ...entries.flatMap(({ entry, object }) => (entry.kind === "told" ? [{ recorded: entry.told, object }] : [])),
];

export interface Rise {
  readonly at: number;
  readonly level: number;
}

/** When a rule called for an alert, as the anchored readings say. */
export interface TrueEpisode {
  readonly raisedAt: number;
  readonly clearedAt: number | undefined;
  /** When its level first was critical. */
  readonly criticalAt: number | undefined;
  /** When its level became higher than it had been in this episode. */
  readonly rises: readonly Rise[];
  /** Of the last reading before it. */
  readonly object: string;
}

/** Why there was nothing to judge. */
export const SILENCES = ["noData", "announcedOffline", "deviceRetired", "consentPaused"] as const;
export type Silence = (typeof SILENCES)[number];

/** A time for which a rule had nothing to judge; milliseconds, half-open. */
export interface Silent {
  readonly why: Silence;
  readonly from: number;
  readonly to: number;
}

/** What one rule says of the anchored readings. */
export interface Truth {
  /** Since when. */
  readonly start: number;
  /** In their order, each once. */
  readonly observations: readonly Observation[];
  readonly episodes: readonly TrueEpisode[];
  readonly silences: readonly Silent[];
}

/** Where to begin: nothing from before it counts. */
export interface TruthStart {
  readonly state: State;
  /** Milliseconds. */
  readonly time: number;
}

/** @param to - Milliseconds; what time brings about until then is found as well. */
export function truthOf(
  { rule, criticalFrom = 0 }: Watch,
  readings: readonly Anchored[],
  start: TruthStart,
  to: number,
): Truth {
  const all = readings
    .flatMap(({ recorded, object }) => observationsFor(rule, recorded).map((one) => ({ one, object })))
    .filter(({ one }) => one.time >= start.time && one.time < to)
    .sort((a, b) => order(a.one, b.one))
    .filter(({ one }, i, sorted) => i === 0 || order(one, (sorted[i - 1] as { one: Observation }).one) !== 0);
  const episodes: TrueEpisode[] = [];
  const silences: Silent[] = [];
  let silent: Omit<Silent, "to"> | undefined;
  const hush = (status: Status, time: number): void => {
    const why = SILENCES.find((one) => one === status);
    if (why === silent?.why) return;
    // Silence is noticed later than it began.
    const from = why === "noData" ? Math.max(silent?.from ?? start.time, ranOutAt(rule, state, time)) : time;
    if (silent && from > silent.from) silences.push({ ...silent, to: from });
    silent = why && { why, from };
  };
  let { state } = start;
  let last = all[0]?.object ?? "";
  const step = (observation: Observation): void => {
    const { state: after, result } = evaluate(rule, state, [observation]);
    const open = episodes.at(-1);
    if (after.active && !state.active) {
      episodes.push({
        raisedAt: after.changedAt,
        clearedAt: undefined,
        criticalAt: undefined,
        rises: [],
        object: last,
      });
    } else if (!after.active && state.active && open) {
      episodes[episodes.length - 1] = { ...open, clearedAt: after.changedAt };
    }
    const lasting = episodes.at(-1);
    if (after.active && lasting?.criticalAt === undefined && lasting && result.level >= criticalFrom)
      episodes[episodes.length - 1] = { ...lasting, criticalAt: Math.max(lasting.raisedAt, observation.time) };
    const risen = episodes.at(-1);
    if (after.active && risen && result.level > (risen.rises.at(-1)?.level ?? 0)) {
      const rises = [...risen.rises, { at: observation.time, level: result.level }];
      episodes[episodes.length - 1] = { ...risen, rises };
    }
    state = after;
    hush(result.status, observation.time);
  };
  for (const { one, object } of all) {
    // Time first, so that each step changes `active` once at most.
    step(clockAt(one.time));
    last = object;
    step(one);
  }
  if (to >= state.time) step(clockAt(to));
  if (silent && to > silent.from) silences.push({ ...silent, to });
  return { silences, start: start.time, observations: all.map(({ one }) => one), episodes };
}

/** When the first of a rule's inputs became too old to count. */
function ranOutAt({ inputs }: Rule, state: State, time: number): number {
  const ends = state.inputs.map((input, i) => lastHeard(input) + (inputs[i]?.maxAge ?? 0));
  return Math.min(time, ...ends);
}
