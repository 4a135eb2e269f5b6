import { scoreOf } from "./bands.ts";
import { latestOf, measured, unmeasured, type Measure } from "./measured.ts";

/** The sum of the inputs' scores, and the level of response it calls for. Without all of them there is none. */
export const score: Measure = (rule, state) => {
  const scores: number[] = [];
  for (const [i, { bands }] of rule.inputs.entries()) {
    const found = scoreOf(bands, latestOf(state, i).value, state);
    if (found === undefined) return unmeasured("missing");
    scores.push(found);
  }
  const total = scores.reduce((sum, one) => sum + one, 0);
  const highest = Math.max(...scores);
  const called = rule.responses.filter(
    (response) =>
      (response.total > 0 && total >= response.total) || (response.single > 0 && highest >= response.single),
  );
  return { ...measured(BigInt(total)), level: called.at(-1)?.level ?? 0 };
};
