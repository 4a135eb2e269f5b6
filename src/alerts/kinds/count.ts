import type { Reading, State } from "../state.ts";
import type { Rule } from "../rule.ts";
import { scoreOf } from "./bands.ts";
import { measured, type Measure } from "./measured.ts";

/** How many of the last values have a score above 0: k of n. */
export const count: Measure = (rule, state) => {
  const bands = rule.inputs[0]?.bands ?? [];
  return measured(BigInt(state.history.filter(({ value }) => (scoreOf(bands, value, state) ?? 0) > 0).length));
};

/** The last values, as many as the rule counts. */
export const rememberLast = ({ readings }: Rule, { history }: State, latest: Reading): readonly Reading[] => [
  ...history.slice(Math.max(0, history.length + 1 - readings)),
  latest,
];
