import type { Rule } from "../rule.ts";
import { NO_READING, type Reading, type Result, type State, type Status } from "../state.ts";

export type Measured = Omit<Result, "active">;

/** What a kind of rule measures in a state whose inputs have this status. */
export type Measure = (rule: Rule, state: State, status: Status) => Measured;

export const measured = (value: bigint, status: Status = "available"): Measured => ({
  status,
  measured: true,
  measure: value,
  level: 0,
});

export const unmeasured = (status: Status): Measured => ({ status, measured: false, measure: 0n, level: 0 });

export const latestOf = ({ inputs }: State, input: number): Reading => inputs[input]?.latest ?? NO_READING;
