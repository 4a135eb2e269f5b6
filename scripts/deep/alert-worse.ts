import { mulberry32 } from "../../examples/simulate.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import type { AlertEvidence } from "../../src/monitor/audit-finding.ts";
import { livesOf, type Life, type Step } from "../../src/monitor/life.ts";
import type { CarePlan } from "../../src/monitor/plan.ts";
import type { Rows } from "../../src/state/rows.ts";
import { BEAT, Bed, type Level } from "./alert-bed.ts";
import { MINUTE } from "./alert-day.ts";

const LEVELS: readonly Level[] = [0, 1, 2, 4];
const NIGHT = { from: 30, to: 90, zone: "UTC" };

/** Two hours of levels that come and go, with responders who answer, put off and are silent, at random. */
export async function watchWorse(seed: number, rows: () => Rows, differs: Partial<CarePlan> = {}): Promise<Bed> {
  const draw = mulberry32(seed);
  const quiet = draw() < 0.5 ? { quiet: NIGHT } : {};
  const bed = await Bed.of(rows(), { ...quiet, ...differs }, { criticalFrom: draw() < 0.5 ? 0 : 2 });
  while (bed.second < 7200) {
    const level = LEVELS[Math.floor(draw() * 4)] as Level;
    await bed.have(level, BEAT * (1 + Math.floor(draw() ** 3 * 200)));
    const isOpen = bed.desk.alertsOf(bed.plan.id).some(({ resolvedBy }) => resolvedBy === undefined);
    const by = draw() < 0.5 ? "nurse" : "doctor";
    const drawn = draw();
    if (!isOpen || drawn > 0.5) continue;
    if (drawn < 0.3) await bed.answer(by);
    else if (drawn < 0.45) await bed.answer(by, "snooze", BEAT * (1 + Math.floor(draw() * 100)));
    else await bed.answer(by, "resolve");
  }
  return bed;
}

export interface WorseReport {
  /** Times at which the first responder was asked again as it got worse, or as it came back. */
  readonly worse: number;
  readonly back: number;
  /** Of these, how many were hushed one at a time, and not found. */
  readonly hushed: number;
  readonly unseen: readonly string[];
  /** In the record of an honest monitor, or of another alert than that which was hushed. */
  readonly blamed: readonly string[];
}

/** Lets desks watch over patients who get worse, and takes from each record what was asked again. */
export async function hushWorse(beds: number, seed: number, rows: () => Rows): Promise<WorseReport> {
  let [worse, back, hushed] = [0, 0, 0];
  const [unseen, blamed]: [string[], string[]] = [[], []];
  for (let i = 0; i < beds; i++) {
    const { evidence } = await watchWorse(seed + i, rows);
    const label = `bed of seed ${seed + i}`;
    const honest = findingsOf(evidence);
    for (const one of honest) if (!one.startsWith("unacknowledged ")) blamed.push(`${label}: ${one}`);
    for (const life of livesOf(evidence.entries)) {
      for (const [n, step] of life.steps.entries()) {
        const kind = isAgain(life, n);
        if (kind === undefined) continue;
        if (kind === "worse") worse += 1;
        else back += 1;
        if (!isMissed(evidence, life, n)) continue;
        hushed += 1;
        const found = findingsOf(without(evidence, life, step, hushed % 2 === 0)).filter(
          (one) => !honest.includes(one),
        );
        const name = `${label}, entry ${step.n}`;
        const fitting = found.filter((one) => /^(unescalated|late) /.test(one) && one.includes(`/${life.id} `));
        if (fitting.length === 0) unseen.push(name);
        for (const one of found) if (!one.includes(`/${life.id} `)) blamed.push(`${name}: ${one}`);
      }
    }
  }
  return { worse, back, hushed, unseen, blamed };
}

const findingsOf = (evidence: AlertEvidence): string[] =>
  auditAlerts(evidence).findings.map(({ kind, alert, at, text }) => `${kind} ${alert ?? "none"} ${at} ${text}`);

const asks = ({ event }: Step): boolean => event.kind === "notified" || event.kind === "escalated";

/** Whether the asking begins anew with a step, and why. */
function isAgain({ steps }: Life, n: number): "worse" | "back" | undefined {
  const { event } = steps[n] as Step;
  const before = steps.slice(0, n).findLast(asks);
  if (event.kind !== "notified" || before === undefined) return undefined;
  if (event.worse) return "worse";
  return "to" in before.event && event.to !== before.event.to ? "back" : undefined;
}

/** Whether nobody answered, or put it off, in the time in which somebody was to be asked. */
function isMissed({ plan, to }: AlertEvidence, { steps }: Life, n: number): boolean {
  const { at } = (steps[n] as Step).event;
  const until = at + plan.within + MINUTE;
  return to > until && !steps.slice(n + 1).some(({ event }) => "by" in event && event.at <= until);
}

/**
 * What a monitor would have written that does not ask again: neither then nor until somebody answers.
 *
 * @param hides - It also writes that the level stayed as it was.
 */
function without(evidence: AlertEvidence, { id, steps }: Life, from: Step, hides: boolean): AlertEvidence {
  const next = steps.find(({ n, event }) => n > from.n && "by" in event)?.n ?? Infinity;
  const gone = new Set(steps.filter((step) => step.n >= from.n && step.n < next && asks(step)).map(({ n }) => n));
  const most = from.event.kind === "notified" && from.event.worse ? from.event.worse.from : Infinity;
  const entries = evidence.entries.flatMap(({ entry, object }) => {
    if (gone.has(entry.n)) return [];
    const isOf = entry.kind === "event" && "alert" in entry.event && entry.event.alert === id;
    const hidden = hides && isOf && entry.n > from.n ? { ...entry, level: Math.min(entry.level, most) } : entry;
    return [{ entry: hidden, object }];
  });
  return { ...evidence, entries: entries.map(({ entry, object }, n) => ({ entry: { ...entry, n }, object })) };
}
