import type { Watch } from "../alerts/alert.ts";
import { START } from "../alerts/state.ts";
import { checkAnswers, checkOnChain } from "./audit-answers.ts";
import { checkAsked } from "./audit-asked.ts";
import { checkAlerts, checkEpisodes, checkTimes } from "./audit-episodes.ts";
import { begunOf, CLOCK_SKEW, iso, type AlertEvidence, type AlertFinding } from "./audit-finding.ts";
import { checkStatements } from "./audit-statements.ts";
import type { Entry } from "./entry.ts";
import { livesOf, stepOf, type Placed } from "./life.ts";
import { begunAt } from "./plan-monitor.ts";
import { alertName } from "./plan.ts";
import { sourceOf } from "./standing.ts";
import { heardIn, truthOf, type Silent, type TruthStart } from "./truth.ts";

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
