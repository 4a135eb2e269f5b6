import { NotOfRuleError, OutOfOrderError } from "./errors.ts";
import { rememberLast } from "./kinds/count.ts";
import { rememberWindow } from "./kinds/rate.ts";
import { measure } from "./measure.ts";
import { toDigits } from "./rounding.ts";
import type { Rule } from "./rule.ts";
import {
  NO_READING,
  lastHeard,
  type InputState,
  type Observation,
  type Reading,
  type Result,
  type State,
} from "./state.ts";

const MAX_SCALE = 18;
const MAX_TIME = 2 ** 48 - 1;

export interface Evaluation {
  readonly state: State;
  readonly result: Result;
}

/**
 * Judges observations, in the order of their times, from a state on: the twin of `RuleEvaluator.evaluate`.
 *
 * Observations may be given one by one or many at once, with or without `clock` in between: the state is the same in the end.
 *
 * @param rule - Valid: see `checkRule`.
 * @throws OutOfOrderError, NotOfRuleError
 */
export function evaluate(rule: Rule, state: State, observations: readonly Observation[]): Evaluation {
  const last = observations.reduce((before, observation) => step(rule, before, observation), opened(rule, state));
  return { state: last, result: measure(rule, last) };
}

function opened(rule: Rule, state: State): State {
  if (state.inputs.length === rule.inputs.length) return state;
  if (state.inputs.length !== 0 || state.time !== 0) throw new NotOfRuleError("the state is of another rule");
  const input: InputState = { expectation: "available", expectedSince: 0, missing: false, latest: NO_READING };
  return { ...state, inputs: rule.inputs.map(() => input) };
}

function step(rule: Rule, state: State, observation: Observation): State {
  const { time, input, scale } = observation;
  if (time < 1 || time < state.time) throw new OutOfOrderError();
  if (time > MAX_TIME || input >= rule.inputs.length || scale > MAX_SCALE) {
    throw new NotOfRuleError("the observation is not one of the rule's inputs");
  }
  return judge(rule, apply(rule, advance(rule, state, time), observation));
}

/**
 * Judges what passed unobserved. Nothing changes in between but the age of values, so two looks are as good as any
 * number: one at the last moment at which all of them count, one now.
 */
function advance(rule: Rule, state: State, time: number): State {
  if (state.time === 0) {
    return { ...state, time, inputs: state.inputs.map((input) => ({ ...input, expectedSince: time })) };
  }
  const ends = state.inputs.map((input, i) => lastHeard(input) + (rule.inputs[i]?.maxAge ?? 0));
  const fresh = Math.min(time, ...ends.filter((end) => end >= state.time));
  const seen = fresh < time ? judge(rule, { ...state, time: fresh }) : state;
  return judge(rule, { ...seen, time });
}

function apply(rule: Rule, state: State, observation: Observation): State {
  const { time, report, input, mantissa, scale } = observation;
  const known = state.inputs[input] as InputState;
  const expected = known.expectation === "available";
  const changed = (change: Partial<InputState>, history = state.history): State => ({
    ...state,
    inputs: state.inputs.with(input, { ...known, ...change }),
    history,
  });
  switch (report) {
    case "clock":
      return state;
    case "value": {
      // A device that announced to be offline is back with its first value; data that must not come is not looked at.
      if (!expected && known.expectation !== "announcedOffline") return state;
      const latest = { time, value: toDigits(mantissa, scale, rule.inputs[input]?.digits ?? 0) };
      const expectedSince = expected ? known.expectedSince : time;
      return changed(
        { expectation: "available", expectedSince, missing: false, latest },
        remembered(rule, state, latest),
      );
    }
    case "missing":
      return expected ? changed({ missing: true }) : state;
    case "resumed":
      return expected ? state : changed({ expectation: "available", expectedSince: time });
    default:
      return changed({ expectation: report, missing: false, latest: NO_READING }, []);
  }
}

function remembered(rule: Rule, state: State, latest: Reading): readonly Reading[] {
  if (rule.kind === "count") return rememberLast(rule, state, latest);
  return rule.kind === "rate" ? rememberWindow(rule, state, latest) : state.history;
}

/** A value marked missing neither begins nor ends anything; silence and pauses begin the count of a duration anew. */
function judge(rule: Rule, state: State): State {
  const result = measure(rule, state);
  if (!result.measured && result.status === "missing") return state;
  if (!result.measured || !isToChange(rule, result)) return state.since === 0 ? state : { ...state, since: 0 };
  const { raiseAfter, clearAfter } = rule.trigger;
  const since = state.since === 0 ? beginning(rule, state) : state.since;
  const due = since + (state.active ? clearAfter : raiseAfter);
  if (state.time < due) return { ...state, since };
  const active = !state.active;
  return { ...state, active, since: 0, changedAt: due, alerts: state.alerts + (active ? 1 : 0) };
}

/** Whether the measure calls for an alert where there is none, or for its end where there is one. */
function isToChange({ kind, trigger }: Rule, { active, measure, level }: Result): boolean {
  const compared = kind === "score" ? BigInt(level) : measure;
  const beyond = trigger.comparator === "atLeast" ? compared - trigger.threshold : trigger.threshold - compared;
  return active ? beyond < -trigger.hysteresis : beyond >= 0n;
}

/** Silence has lasted for its threshold at a moment of its own; everything else changes with an observation. */
function beginning({ kind, trigger }: Rule, { active, time, inputs: [input] }: State): number {
  if (kind !== "absence" || active || input === undefined) return time;
  return lastHeard(input) + Number(trigger.threshold);
}
