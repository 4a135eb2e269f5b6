import { isDeepStrictEqual } from "node:util";
import { MedSealError } from "../errors.ts";
import { ENDED, type Watch } from "../alerts/alert.ts";
import { START, type State } from "../alerts/state.ts";
import { alertOf, responderOf } from "./answer.ts";
import type { Entry } from "./entry.ts";
import { livesOf, stepOf, type Life, type Placed, type Step } from "./life.ts";
import { alertName, type CarePlan, type Source } from "./plan.ts";
import { raisedDigest } from "./once.ts";
import { sourceOf, type Standing } from "./standing.ts";
import { begunAt } from "./plan-monitor.ts";
import { quietUntil } from "./quiet.ts";
import { digestOf, stateAfter, type Statement } from "./statement.ts";
import {
  heardIn,
  truthOf,
  type Anchored,
  type Silent,
  type TrueEpisode,
  type Truth,
  type TruthStart,
} from "./truth.ts";

export type AlertFindingKind =
  /** The rules call for an alert, the stream has none. */
  | "missed"
  /** The stream has an alert that no reading calls for, or a second one for the same. */
  | "false"
  /** It was opened, or somebody was first asked, later than the plan allows. */
  | "late"
  /** Everybody was asked and had their time, and nobody answered. */
  | "unacknowledged"
  /** Nobody was asked, or the next one was not when the one before did not answer. */
  | "unescalated"
  /** An answer is not signed by who is said to have given it. */
  | "forged"
  /** A time of which nobody says that it was evaluated. */
  | "gap"
  /** What is said to have been evaluated is not what the readings lead to. */
  | "wrong"
  /** No data was to come, the stream says, and the chain says otherwise. */
  | "unfounded"
  /** An entry between two others is not there. */
  | "entry-missing";

export interface AlertFinding {
  readonly kind: AlertFindingKind;
  readonly rule: string;
  /** Its name, where it is about one. */
  readonly alert: string | undefined;
  /** Milliseconds. */
  readonly at: number;
  /** CID of the header of the batch that shows it. */
  readonly object: string;
  readonly text: string;
}

/** One alert on chain, times in unix seconds. */
export interface OnChainStep {
  /** 25 bytes. */
  readonly digest: string;
  readonly raisedAt: number;
  readonly escalatedAt: number | undefined;
  readonly acknowledgedAt: number | undefined;
}

export interface AlertEvidence {
  readonly plan: CarePlan;
  /** Of the plan's stream, in the order of their numbers. */
  readonly entries: readonly Placed[];
  /** Of the streams that the plan's rules look at, in any order. */
  readonly readings: readonly Anchored[];
  /** Names of rules whose readings the auditor may not read: of them only the life of alerts is looked at. */
  readonly unread?: readonly string[];
  /** What the chain says of a source at a time in milliseconds; without it what the stream says of it is taken as it is. */
  /** Plans of the stream that are signed to take this one's place. */
  readonly successors?: readonly string[];
  /** What stands on chain, raised by the address that writes the plan's alerts; without it nothing is said of it. */
  readonly onChain?: { readonly alerts: readonly OnChainStep[]; readonly now: number };
  readonly standingOf?: (source: Source, time: number) => Standing;
  /** Milliseconds; all up to `to` is anchored. */
  readonly from: number;
  readonly to: number;
}

export interface AlertReport {
  /** No findings. */
  readonly ok: boolean;
  /** Of the time that was to be evaluated how much was, rightly; in percent, 100 when nothing was. */
  readonly coverage: number;
  readonly episodes: number;
  readonly alerts: number;
  /** Taken back by a late reading. */
  readonly refuted: number;
  /** Times for which a rule had nothing to judge, and why. No findings: the rules for absence say when that calls for somebody. */
  readonly silences: readonly (Silent & { readonly rule: string })[];
  readonly findings: readonly AlertFinding[];
}

/** Compares what a monitor wrote with what the anchored readings call for. Pure: who gathers the evidence checks it. */
export function auditAlerts(evidence: AlertEvidence): AlertReport {
  const { plan, entries, readings, unread = [], from } = evidence;
  const ended = endOf(evidence);
  // What nobody was to evaluate any more is not missing.
  const to = Math.min(evidence.to, ended?.at ?? Infinity);
  const lives = livesOf(entries);
  const heard = heardIn(readings, entries);
  const findings: AlertFinding[] = [...checkNumbers(entries), ...checkTold(evidence), ...checkEnd(evidence)];
  const silences: AlertReport["silences"][number][] = [];
  let [episodes, covered, due] = [0, 0, 0];
  for (const watch of plan.watches) {
    const { rule } = watch;
    const mine = lives.filter((life) => life.rule === rule.name);
    const known = unread.includes(rule.name) ? undefined : truthOf(watch, heard, startOf(watch, evidence), to);
    const context = { plan, watch, from, to, truth: known, until: evidence.to, ended: ended !== undefined };
    const untrue = known ? checkAlerts(context, known, mine) : [];
    findings.push(...untrue, ...mine.flatMap((life) => checkTimes(context, life)));
    for (const life of mine) {
      findings.push(...checkAnswers(context, life), ...checkOnChain(evidence, life));
      // Nobody need answer for what should not have been.
      if (!untrue.some(({ alert }) => alert === alertName(plan, life.id))) findings.push(...checkAsked(context, life));
    }
    if (known === undefined) continue;
    silences.push(
      ...known.silences.filter(({ to: end }) => end > from).map((silent) => ({ ...silent, rule: rule.name })),
    );
    episodes += known.episodes.filter(({ raisedAt }) => raisedAt >= from).length;
    findings.push(...checkEpisodes(context, known, mine));
    const statements = checkStatements(context, known, entries);
    findings.push(...statements.findings);
    covered += statements.covered;
    due += statements.due;
  }
  findings.sort((a, b) => a.at - b.at);
  const alerts = lives.filter((life) => stepOf(life, "opened")).length;
  const refuted = lives.filter((life) => stepOf(life, "refuted")).length;
  const coverage = due === 0 ? 100 : Math.round((10_000 * covered) / due) / 100;
  return { ok: findings.length === 0, coverage, episodes, alerts, refuted, silences, findings };
}

interface Context {
  readonly plan: CarePlan;
  readonly watch: Watch;
  readonly from: number;
  readonly to: number;
  readonly truth: Truth | undefined;
  /** To when responders were to be asked: open alerts outlive the plan. */
  readonly until: number;
  /** The plan ended at `to`, and what was due until then was stated. */
  readonly ended: boolean;
}

/** Where another plan took its place, as far as that is signed. */
function endOf({ entries, successors = [] }: AlertEvidence): Entry | undefined {
  return entries.find(({ entry }) => entry.kind === "ended" && successors.includes(entry.by))?.entry;
}

/** A monitor that says it need not watch any more has to show who said so. */
function checkEnd({ plan, entries, successors = [] }: AlertEvidence): AlertFinding[] {
  return entries.flatMap(({ entry, object }): AlertFinding[] => {
    if (entry.kind !== "ended" || successors.includes(entry.by)) return [];
    const text = `plan ${plan.id.slice(0, 8)} is said to have been replaced, and no plan is signed to take its place`;
    return [{ kind: "unfounded", rule: "", alert: undefined, at: entry.at, object, text }];
  });
}

/** The plan's begin; where that lies outside of what was granted, the end of the first statement there. */
function startOf({ rule }: Watch, { entries, from }: AlertEvidence): TruthStart {
  const begun = begunOf(entries);
  if (begun !== undefined) return { state: begunAt(rule, begun).state, time: begun };
  for (const { entry } of entries) {
    if (entry.kind !== "stated" || entry.statement.rule !== rule.name) continue;
    return { state: entry.statement.state, time: entry.statement.to };
  }
  return { state: START, time: from };
}

const begunOf = (entries: readonly Placed[]): number | undefined =>
  entries.find(({ entry }) => entry.kind === "plan")?.entry.at;

const CLOCK_SKEW = 60_000;
/** Seconds; that of AlertRules. */
const ON_CHAIN_DEADLINE = 900;

const iso = (time: number): string => new Date(time).toISOString();

function checkNumbers(entries: readonly Placed[]): AlertFinding[] {
  return entries.slice(1).flatMap(({ entry, object }, i): AlertFinding[] => {
    const { n } = (entries[i] as Placed).entry;
    if (entry.n === n + 1) return [];
    const text = `entry ${n} is followed by entry ${entry.n}`;
    return [{ kind: "entry-missing", rule: "", alert: undefined, at: entry.at, object, text }];
  });
}

/** Silence is excused by nothing but what stands on the chain. */
function checkTold({ plan, entries, standingOf }: AlertEvidence): AlertFinding[] {
  return entries.flatMap(({ entry, object }): AlertFinding[] => {
    if (entry.kind !== "told") return [];
    const { report, channels, time } = entry.told;
    const source = sourceOf(plan, channels);
    const expected = report === "resumed" ? undefined : report;
    // The clock of the chain may run ahead of the monitor's.
    const fits = (at: number): boolean => source !== undefined && standingOf?.(source, at) === expected;
    if (source && (standingOf === undefined || fits(time) || fits(time + CLOCK_SKEW))) return [];
    const what = channels.map(({ code }) => code).join(", ");
    const text = `said of ${what} at ${iso(time)}: ${TOLD_WORDS[report]}; the chain does not say so`;
    return [{ kind: "unfounded", rule: "", alert: undefined, at: time, object, text }];
  });
}

export const TOLD_WORDS = {
  consentPaused: "no consent lets it be written",
  deviceRetired: "its device is retired",
  resumed: "data may come again",
} as const;

/** Every episode has an alert: its own, or one that was open and took it up. */
function checkEpisodes({ plan, watch, from, to }: Context, truth: Truth, lives: readonly Life[]): AlertFinding[] {
  const rule = watch.rule.name;
  return truth.episodes.flatMap((episode): AlertFinding[] => {
    const { raisedAt, object } = episode;
    if (raisedAt < from) return [];
    const found = lives.find((life) => takesUp(life, episode));
    const said = { rule, at: raisedAt };
    if (found === undefined) {
      if (to <= raisedAt + plan.within) return [];
      const text = `${rule} calls for an alert from ${iso(raisedAt)} on, and there is none`;
      return [{ ...said, kind: "missed", alert: undefined, object, text }];
    }
    const opened = stepOf(found, "opened");
    const own = opened !== undefined && found.raisedAt >= raisedAt;
    if (!own || opened.event.at <= raisedAt + plan.within) return [];
    const seconds = Math.round((opened.event.at - raisedAt) / 1000);
    const text = `the alert was opened ${seconds} s after ${iso(raisedAt)}, or its readings came late`;
    return [{ ...said, kind: "late", alert: alertName(plan, found.id), object: opened.object, text }];
  });
}

function takesUp(life: Life, { raisedAt, clearedAt = Infinity }: TrueEpisode): boolean {
  const over = stepOf(life, "resolved")?.event.at ?? Infinity;
  return life.raisedAt === raisedAt || (life.raisedAt <= clearedAt && raisedAt <= over);
}

/** A monitor that dates an event otherwise than its entry has made one of the two up. */
const checkTimes = ({ plan }: Context, life: Life): AlertFinding[] =>
  life.steps
    .filter(({ at, event }) => at !== event.at)
    .map(({ at, event, object }) => ({
      kind: "wrong",
      rule: life.rule,
      alert: alertName(plan, life.id),
      at: event.at,
      object,
      text: `said to be ${event.kind} at ${iso(event.at)}, but written at ${iso(at)}`,
    }));

/** Every alert has an episode that had begun when it was opened, and that no other alert was opened for. */
function checkAlerts({ plan, watch, from }: Context, truth: Truth, lives: readonly Life[]): AlertFinding[] {
  const rule = watch.rule.name;
  // An alert of the very time at which one is called for is the one: however late another was opened, it does not take its place.
  const times = new Set(lives.filter((life) => stepOf(life, "opened")).map(({ raisedAt }) => raisedAt));
  const taken = new Set<TrueEpisode>(truth.episodes.filter(({ raisedAt }) => times.has(raisedAt)));
  return lives.flatMap((life): AlertFinding[] => {
    const opened = stepOf(life, "opened");
    if (opened === undefined || life.raisedAt < from) return [];
    const { at } = opened.event;
    const own = truth.episodes.find(({ raisedAt }) => raisedAt === life.raisedAt && raisedAt <= at);
    const episode =
      own ??
      truth.episodes.findLast(({ raisedAt, clearedAt = Infinity }) => raisedAt <= at && life.raisedAt <= clearedAt);
    const isSecond = !own && episode !== undefined && taken.has(episode);
    if (episode) taken.add(episode);
    if (stepOf(life, "refuted") || (episode && !isSecond)) return [];
    const text = isSecond
      ? `the alert of ${rule} at ${iso(life.raisedAt)} is the second one of what calls for one`
      : `no reading calls for an alert of ${rule} at ${iso(life.raisedAt)}`;
    const said = { kind: "false", rule, alert: alertName(plan, life.id), at: life.raisedAt, text } as const;
    return [{ ...said, object: opened.object }];
  });
}

/** What responders are said to have done they have signed. */
function checkAnswers({ plan, watch }: Context, life: Life): AlertFinding[] {
  return life.steps.flatMap((step): AlertFinding[] => {
    const { event, object } = step;
    if (!("by" in event)) return [];
    const said = {
      kind: "forged",
      rule: watch.rule.name,
      alert: alertName(plan, life.id),
      at: event.at,
      object,
    } as const;
    if (event.kind === "resolved" && event.by === ENDED) {
      const reasons = ["acknowledged", "cleared"] as const;
      const fits = reasons.every((kind) => life.steps.some((one) => one.event.kind === kind && one.n < step.n));
      return fits ? [] : [{ ...said, text: "said to be over, but it was not acknowledged or had not ended" }];
    }
    const reopened =
      life.steps.findLast(({ event: one, n }) => one.kind === "raisedAgain" && n < step.n)?.event.at ?? 0;
    const ended = life.steps.some(({ event: one, n }) => one.kind === "resolved" && n < step.n && one.at <= reopened);
    if (ended && isSigned(plan, life, step) && (step.answer?.answer.at ?? 0) < reopened)
      return [{ ...said, text: `said to be ${event.kind}, by an answer from before it came back` }];
    const fits = isSigned(plan, life, step);
    return fits ? [] : [{ ...said, text: `said to be ${event.kind}, but not signed by who is said to have done so` }];
  });
}

/** What the plan wants on chain was raised there in time, and is acknowledged or escalated when its time is over. */
function checkOnChain({ plan, to, onChain }: AlertEvidence, life: Life): AlertFinding[] {
  const opened = stepOf(life, "opened");
  if (plan.onChain === undefined || onChain === undefined || opened === undefined) return [];
  const { at } = opened.event;
  const digest = raisedDigest(plan.onChain, { plan: plan.id, n: opened.n });
  const found = onChain.alerts.find((one) => one.digest === digest);
  const said = { rule: life.rule, alert: alertName(plan, life.id), at, object: opened.object };
  if (found === undefined) {
    if (to <= at + plan.within) return [];
    return [{ ...said, kind: "unescalated", text: "the plan wants it on chain, and it was never raised there" }];
  }
  const { raisedAt, escalatedAt, acknowledgedAt } = found;
  const findings: AlertFinding[] = [];
  if (1000 * raisedAt > at + plan.within + CLOCK_SKEW)
    findings.push({ ...said, kind: "late", text: `it was raised on chain at ${iso(1000 * raisedAt)} only` });
  if (acknowledgedAt === undefined && escalatedAt === undefined && onChain.now > raisedAt + ON_CHAIN_DEADLINE)
    findings.push({
      ...said,
      kind: "unescalated",
      text: `on chain nobody of whom it waits for has acknowledged it since ${iso(1000 * raisedAt)}, and it was not escalated; anybody may: medseal alerts escalate`,
    });
  return findings;
}

const ACTS = { acknowledged: "acknowledge", resolved: "resolve", snoozed: "snooze" } as const;

/** Whether who is said to have made a step has signed just that. */
export function isSigned(plan: CarePlan, life: Life, { event, answer }: Step): boolean {
  if (answer === undefined || !("by" in event)) return false;
  const act = ACTS[event.kind];
  try {
    const until = event.kind === "snoozed" ? event.until : 0;
    return (
      responderOf(plan, answer).name === event.by &&
      alertOf(plan, answer.answer.alert) === life.id &&
      answer.answer.act === act &&
      (act !== "snooze" || answer.answer.until === until)
    );
  } catch {
    return false;
  }
}

/** Somebody was asked in time, the next one when nobody answered, and in the end somebody did. */
function checkAsked({ plan, watch, until: to, truth }: Context, life: Life): AlertFinding[] {
  const { responders, answerWithin, criticalFrom = 0, rule } = watch;
  const opened = stepOf(life, "opened");
  if (opened === undefined) return [];
  const said = { rule: rule.name, alert: alertName(plan, life.id), object: opened.object };
  const answered = stepOf(life, "acknowledged", "resolved")?.event.at ?? Infinity;
  const episodes = truth?.episodes.filter((one) => takesUp(life, one)) ?? [];
  const [episode] = episodes;
  const criticalAt = criticalFrom === 0 ? 0 : (episode?.criticalAt ?? Infinity);
  /** When somebody may be disturbed who was to be at `time`. */
  const awake = (time: number): number => Math.min(quietUntil(plan.quiet, time), Math.max(time, criticalAt));
  const asks = life.steps.filter(({ event }) => event.kind === "notified" || event.kind === "escalated");
  const findings: AlertFinding[] = [];
  let due = awake(opened.event.at);
  let asked = 0;
  for (const ask of asks) {
    const { event, object } = ask;
    const kind = asked === 0 ? "late" : "unescalated";
    const isLate = event.at > due + plan.within;
    if (isLate) {
      const who = responders[Math.min(asked, responders.length - 1)] as string;
      findings.push({
        ...said,
        object,
        kind,
        at: due,
        text: `${who} was to be asked at ${iso(due)}, and was at ${iso(event.at)}`,
      });
    }
    if (asked === 0 || event.kind === "escalated") asked += 1;
    const expected = responders[asked - 1];
    if ("to" in event && event.to !== expected) {
      // Where the one before was not asked, that is said already.
      if (!isLate || kind === "late")
        findings.push({
          ...said,
          object,
          kind: "unescalated",
          at: event.at,
          text: `${event.to} was asked instead of ${expected ?? "nobody"}`,
        });
      asked = Math.max(asked, responders.indexOf(event.to) + 1);
    }
    const deadline = event.at + answerWithin;
    const snoozed = Math.max(
      0,
      ...life.steps.map((step) => (step.n > ask.n && step.event.at <= deadline ? silenceOf(step, episodes) : 0)),
    );
    due = snoozed > 0 ? awake(snoozed) : asked < responders.length ? awake(deadline) : Infinity;
  }
  const end = Math.min(to, answered);
  if (end > due + plan.within) {
    const who = responders[Math.min(asked, responders.length - 1)] as string;
    findings.push({
      ...said,
      kind: "unescalated",
      at: due,
      text: `${who} was to be asked at ${iso(due)}, and was not`,
    });
  } else if (answered === Infinity && due === Infinity) {
    const last = (asks.at(-1) as Step).event.at + answerWithin;
    if (to > last)
      findings.push({
        ...said,
        kind: "unacknowledged",
        at: last,
        text: `nobody of ${responders.join(", ")} has answered`,
      });
  }
  return findings;
}

/** Until when a snooze lets everybody sleep: its end, or the moment at which the alert got more severe. 0 for no snooze. */
function silenceOf({ event, level }: Step, episodes: readonly TrueEpisode[]): number {
  if (event.kind !== "snoozed" || event.until <= event.at) return 0;
  const rises = episodes.flatMap((one) => one.rises).filter((rise) => rise.at > event.at && rise.level > level);
  return Math.min(event.until, ...rises.map(({ at }) => at));
}

/** What is said to have been evaluated was, and all of the time is covered. */
function checkStatements(
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
