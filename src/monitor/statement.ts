import { hex } from "../bytes/bytes.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { sha256 } from "../bytes/hash.ts";
import { evaluate } from "../alerts/evaluate.ts";
import type { Rule } from "../alerts/rule.ts";
import { clockAt } from "../alerts/timeline.ts";
import { REPORTS, type Observation, type State } from "../alerts/state.ts";

/** What a monitor says it has evaluated: one rule over the observations of one time. */
export interface Statement {
  readonly rule: string;
  /** Milliseconds, half-open. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of the observations, see `digestOf`. */
  readonly digest: string;
  /** At `to`. */
  readonly state: State;
  /** The state that it began with, where that is not the one of the statement before it. */
  readonly before?: State;
  /** Number of the entry that it takes the place of, as readings have come late. */
  readonly supersedes?: number;
}

/** The state at `to`, from the one at the time's begin on. */
export const stateAfter = (rule: Rule, before: State, observations: readonly Observation[], to: number): State =>
  evaluate(rule, before, upTo(observations, to)).state;

/** What is evaluated: the observations, and that nothing more came before `to`. */
export const upTo = (observations: readonly Observation[], to: number): readonly Observation[] => [
  ...observations,
  clockAt(to),
];

/** SHA-256 over the observations in their order; docs/formats.md, section 28. */
export function digestOf(observations: readonly Observation[]): string {
  const writer = new ByteWriter();
  for (const { time, report, input, mantissa, scale } of observations) {
    writer.uint(time, 6).uint(REPORTS.indexOf(report), 1).uint(input, 1).uint(scale, 1);
    writer.raw(Uint8Array.of(mantissa < 0n ? 1 : 0)).text((mantissa < 0n ? -mantissa : mantissa).toString());
  }
  return hex(sha256(writer.finish()));
}
