import { isDeepStrictEqual } from "node:util";
import type { State } from "../alerts/state.ts";
import { MedSealError } from "../errors.ts";
import { begunOf, iso, type AlertFinding, type Context } from "./audit-finding.ts";
import type { Placed } from "./life.ts";
import { digestOf, stateAfter, type Statement } from "./statement.ts";
import type { Truth } from "./truth.ts";

/** What is said to have been evaluated was, and all of the time is covered. */
export function checkStatements(
  { plan, watch, from, to, ended }: Context,
  truth: Truth,
  entries: readonly Placed[],
): { findings: AlertFinding[]; covered: number; due: number } {
  const { rule } = watch;
  const findings: AlertFinding[] = [];
  const newest = new Map<number, { readonly statement: Statement; readonly object: string }>();
  for (const { entry, object } of entries) {
    if (entry.kind === "stated" && entry.statement.rule === rule.name)
      newest.set(entry.statement.from, { statement: entry.statement, object });
  }
  const { period } = plan;
  const begun = begunOf(entries);
  const whole = Math.ceil(from / period) * period;
  const first = Math.max(truth.start, begun !== undefined && begun > from ? begun : whole);
  const end = Math.floor(to / period) * period - (ended ? 0 : 2 * period);
  let [reached, covered] = [first, 0];
  /** What the one before leads to, by the readings: who is wrong once is not wrong ever after. */
  let last: { readonly to: number; readonly state: State; readonly object: string } | undefined;
  const gap = (until: number): void => {
    if (until <= reached) return;
    const text = `nobody says that ${rule.name} was evaluated from ${iso(reached)} to ${iso(until)}`;
    const object = last?.object ?? entries[0]?.object ?? "";
    findings.push({ kind: "gap", rule: rule.name, alert: undefined, at: reached, object, text });
  };
  for (const { statement, object } of [...newest.values()].sort((a, b) => a.statement.from - b.statement.from)) {
    const { from: since, to: until } = statement;
    const before = last?.to === since ? last.state : statement.before;
    // Where the one before it is not there, that is the gap.
    if (until <= first || since < truth.start || since >= end || before === undefined) {
      if (until > first && since < end) gap(since);
      last = { to: until, state: statement.state, object };
      reached = Math.max(reached, until);
      continue;
    }
    gap(since);
    const what = `${rule.name} from ${iso(since)} to ${iso(until)}`;
    const wrong = (text: string): void =>
      void findings.push({
        kind: "wrong",
        rule: rule.name,
        alert: undefined,
        at: since,
        object,
        text: `${what} ${text}`,
      });
    // Beside the one before it, it could begin with whatever state it likes.
    const overlaps = last !== undefined && since < last.to;
    if (overlaps && last && until <= last.to) {
      wrong("was stated already");
      continue;
    }
    const known = overlaps && last ? last : { to: since, state: before };
    const observations = truth.observations.filter(({ time }) => time >= known.to && time < until);
    const led = stateIfPossible(rule, known.state, observations, until);
    const isOver = observations.length === statement.count && digestOf(observations) === statement.digest;
    if (overlaps) wrong("was stated already, in part");
    else if (!isOver) wrong("was not evaluated over the readings that are anchored");
    else if (!isDeepStrictEqual(led, statement.state)) wrong("does not lead to the state that is claimed");
    else covered += Math.max(0, Math.min(until, end) - Math.max(since, first));
    last = { to: until, state: led ?? statement.state, object };
    reached = Math.max(reached, until);
  }
  gap(end);
  return { findings, covered, due: Math.max(0, end - first) };
}

/** @returns undefined where a monitor claims to have begun with a state that cannot be. */
function stateIfPossible(...of: Parameters<typeof stateAfter>): State | undefined {
  try {
    return stateAfter(...of);
  } catch (error) {
    if (error instanceof MedSealError) return undefined;
    throw error;
  }
}
