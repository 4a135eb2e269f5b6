import { isDeepStrictEqual } from "node:util";
import { evaluate, type Evaluation } from "../alerts/evaluate.ts";
import type { Rule } from "../alerts/rule.ts";
import type { Observation, State } from "../alerts/state.ts";
import type { AlertEvidence } from "./audit-finding.ts";
import { livesOf, type Life } from "./life.ts";
import { alertName } from "./plan.ts";
import { digestOf, upTo, type Statement } from "./statement.ts";
import { heardIn, truthOf } from "./truth.ts";
import { NoSuchAlertError } from "../alerts/errors.ts";

/** Who settles what a rule says: the contract's own code, see `RuleJudge`. */
export interface Judge {
  evaluate(rule: Rule, state: State, observations: readonly Observation[]): Promise<Evaluation>;
}

export interface AlertVerdict {
  readonly alert: string;
  readonly rule: Rule;
  readonly raisedAt: number;
  /** The statement that covers its beginning, if there is one, and the object that it was read from. */
  readonly stated: { readonly statement: Statement; readonly object: string } | undefined;
  /** Whether the statement is over the anchored readings. */
  readonly sameReadings: boolean;
  /** Whether the rule calls for the alert at its time, by the anchored readings. */
  readonly called: boolean;
  /** Whether the contract says the same, of the alert and of the whole statement; undefined without a judge. */
  readonly settled: boolean | undefined;
}

/**
 * Works an alert out again from the anchored readings, from the state that the statement before it left.
 *
 * @throws NoSuchAlertError.
 */
export async function verifyAlert(evidence: AlertEvidence, name: string, judge?: Judge): Promise<AlertVerdict> {
  const { plan, entries, to } = evidence;
  const readings = heardIn(evidence.readings, entries);
  const life = livesOf(entries).find(({ id }) => alertName(plan, id) === name);
  const watch = life && plan.watches.find(({ rule }) => rule.name === life.rule);
  if (life === undefined || watch === undefined) throw new NoSuchAlertError("no alert of this name is written there");
  const { rule } = watch;
  const { raisedAt } = life;
  const found = coveringOf(evidence, life);
  if (found === undefined) {
    return { alert: name, rule, raisedAt, stated: undefined, sameReadings: false, called: false, settled: undefined };
  }
  const { statement, object, before } = found;
  const start = { state: before, time: statement.from };
  const { observations } = truthOf(watch, readings, start, Math.min(to, statement.to));
  const untilThen = upTo(
    observations.filter(({ time }) => time <= raisedAt),
    raisedAt,
  );
  const all = upTo(observations, statement.to);
  const calls = ({ state }: Evaluation): boolean => state.active && state.changedAt === raisedAt;
  const whole = evaluate(rule, before, all);
  const called = calls(evaluate(rule, before, untilThen));
  const settled =
    judge &&
    calls(await judge.evaluate(rule, before, untilThen)) === called &&
    isDeepStrictEqual((await judge.evaluate(rule, before, all)).state, whole.state);
  const sameReadings = digestOf(observations) === statement.digest && isDeepStrictEqual(whole.state, statement.state);
  return { alert: name, rule, raisedAt, stated: { statement, object }, sameReadings, called, settled };
}

/** The newest statement over the time in which the alert began, and the state that it begins with. */
function coveringOf(
  { entries }: AlertEvidence,
  { rule, raisedAt }: Life,
): { statement: Statement; object: string; before: State } | undefined {
  const newest = new Map<number, { statement: Statement; object: string }>();
  for (const { entry, object } of entries)
    if (entry.kind === "stated" && entry.statement.rule === rule)
      newest.set(entry.statement.from, { statement: entry.statement, object });
  const found = [...newest.values()].find(({ statement }) => statement.from <= raisedAt && raisedAt < statement.to);
  if (found === undefined) return undefined;
  const { statement } = found;
  // Two that overlap say two things of one time: neither counts.
  const others = [...newest.values()].filter((one) => one !== found);
  if (others.some((one) => one.statement.from < statement.to && statement.from < one.statement.to)) return undefined;
  const last = [...newest.values()].find((one) => one.statement.to === statement.from)?.statement.state;
  const before = last ?? statement.before;
  return before && { ...found, before };
}
