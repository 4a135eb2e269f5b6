import { absence } from "./kinds/absence.ts";
import { count } from "./kinds/count.ts";
import { difference } from "./kinds/difference.ts";
import { unmeasured, type Measure } from "./kinds/measured.ts";
import { rate } from "./kinds/rate.ts";
import { score } from "./kinds/score.ts";
import { threshold } from "./kinds/threshold.ts";
import type { Kind, Rule } from "./rule.ts";
import { STATUSES, lastHeard, type InputState, type Result, type State, type Status } from "./state.ts";

const MEASURES: Readonly<Record<Kind, Measure>> = { threshold, count, rate, difference, absence, score };

/** What the state says at its time. */
export function measure(rule: Rule, state: State): Result {
  const { active } = state;
  const status = rule.inputs
    .map(({ maxAge }, i) => statusOf(maxAge, state.inputs[i], state.time))
    .reduce((worst, one) => (STATUSES.indexOf(one) > STATUSES.indexOf(worst) ? one : worst), "available");
  // Silence is what an absence measures; everything else needs a value of every input.
  if (status !== "available" && rule.kind !== "absence") return { ...unmeasured(status), active };
  return { ...MEASURES[rule.kind](rule, state, status), active };
}

function statusOf(maxAge: number, input: InputState | undefined, time: number): Status {
  if (input === undefined) return "waiting";
  if (input.expectation !== "available") return input.expectation;
  if (time > lastHeard(input) + maxAge) return "noData";
  if (input.missing) return "missing";
  return input.latest.time === 0 ? "waiting" : "available";
}
