import { divide } from "../rounding.ts";
import type { Rule } from "../rule.ts";
import type { Reading, State } from "../state.ts";
import { latestOf, measured, unmeasured, type Measure } from "./measured.ts";

/** Values of a window that are kept, at most. */
const KEPT = 64;

/** The change of the value in the time that the rule states it for, from the oldest value of the window to the latest. */
export const rate: Measure = ({ minSpan, per }, state) => {
  const latest = latestOf(state, 0);
  const first = state.history[0];
  if (first === undefined || first.time + minSpan > latest.time) return unmeasured("waiting");
  return measured(divide((latest.value - first.value) * BigInt(per), BigInt(latest.time - first.time)));
};

/** The values of the window, so far apart that there are never too many, whatever the sampling rate. */
export function rememberWindow({ window }: Rule, { history }: State, latest: Reading): readonly Reading[] {
  const within = history.findIndex(({ time }) => time + window >= latest.time);
  const left = within === -1 ? [] : history.slice(within);
  const last = left.at(-1);
  const apart = Math.floor(window / KEPT) + 1;
  return last === undefined || last.time === 0 || last.time + apart <= latest.time ? [...left, latest] : left;
}
