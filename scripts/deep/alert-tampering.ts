import { mulberry32 } from "../../examples/simulate.ts";
import type { AlertEvidence, AlertFinding, AlertFindingKind } from "../../src/monitor/audit-finding.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import type { Entry } from "../../src/monitor/entry.ts";
import { livesOf, stepOf, type Life, type Placed } from "../../src/monitor/life.ts";
import { truthOf } from "../../src/monitor/truth.ts";
import { begunAt } from "../../src/monitor/plan-monitor.ts";
import { BEGIN, MINUTE } from "./alert-day.ts";

/** What a monitor that cheats has written, and what an audit is to say of it: this, and nothing of anything else. */
interface Cheat {
  readonly entries: readonly Entry[];
  readonly kinds: readonly AlertFindingKind[];
  /** Whether a finding is about what was tampered with. */
  about(finding: AlertFinding): boolean;
}

type Draw = ReturnType<typeof mulberry32>;
type Way = (evidence: AlertEvidence, draw: Draw) => Cheat | undefined;

const pick = <T>(items: readonly T[], draw: Draw): T | undefined => items[Math.floor(draw() * items.length)];

const entriesOf = ({ entries }: AlertEvidence): Entry[] => entries.map(({ entry }) => entry);
const isStepOf = (entry: Entry, { id }: Life, ...kinds: readonly string[]): boolean =>
  entry.kind === "event" &&
  "alert" in entry.event &&
  entry.event.alert === id &&
  (kinds.length === 0 || kinds.includes(entry.event.kind));
/** As a monitor that cheats counts them. */
const numbered = (entries: readonly Entry[]): Entry[] => entries.map((entry, n) => ({ ...entry, n }));
const ofAlert =
  ({ id }: Life) =>
  (finding: AlertFinding) =>
    finding.alert?.endsWith(`/${id}`) === true;

/** Of alerts that are all over: what is cut off by the end of the day is not yet due. */
const overLives = ({ entries }: AlertEvidence): Life[] => livesOf(entries).filter((life) => stepOf(life, "resolved"));

const suppress: Way = (evidence, draw) => {
  const life = pick(overLives(evidence), draw);
  if (life === undefined) return undefined;
  const entries = numbered(entriesOf(evidence).filter((entry) => !isStepOf(entry, life)));
  // A late reading may have shown since that it began a little earlier; episodes lie further apart.
  const isNear = (at: number): boolean => Math.abs(at - life.raisedAt) < MINUTE / 2;
  return { entries, kinds: ["missed"], about: ({ rule, at }) => rule === life.rule && isNear(at) };
};

const delay: Way = (evidence, draw) => {
  const life = pick(overLives(evidence), draw);
  if (life === undefined) return undefined;
  const by = evidence.plan.within + 1 + Math.floor(draw() * 30 * MINUTE);
  const entries = entriesOf(evidence).map((entry): Entry => {
    if (!isStepOf(entry, life) || entry.kind !== "event") return entry;
    return { ...entry, at: entry.at + by, event: { ...entry.event, at: entry.event.at + by } };
  });
  return { entries, kinds: ["late"], about: ofAlert(life) };
};

const forge: Way = (evidence, draw) => {
  const watch = pick(evidence.plan.watches, draw);
  if (watch === undefined) return undefined;
  const raisedAt = BEGIN + Math.floor(draw() * (evidence.to - BEGIN - 10 * MINUTE));
  const start = { state: begunAt(watch.rule, BEGIN).state, time: BEGIN };
  const { episodes } = truthOf(watch, evidence.readings, start, evidence.to);
  const isNear = ({
    raisedAt: from,
    clearedAt = Infinity,
  }: {
    raisedAt: number;
    clearedAt: number | undefined;
  }): boolean => raisedAt > from - 10 * MINUTE && raisedAt < clearedAt + 10 * MINUTE;
  if (episodes.some(isNear)) return undefined;
  const alert = `${watch.rule.name}/${raisedAt}`;
  const said = { plan: evidence.plan.id, n: 0, at: raisedAt, kind: "event", level: 0 } as const;
  const forged: Entry[] = [
    { ...said, event: { kind: "opened", alert, at: raisedAt } },
    { ...said, event: { kind: "notified", alert, at: raisedAt, to: watch.responders[0] as string } },
  ];
  const all = entriesOf(evidence);
  const before = all.findLastIndex((entry) => entry.at <= raisedAt) + 1;
  const entries = numbered(all.toSpliced(before, 0, ...forged));
  return { entries, kinds: ["false"], about: (finding) => finding.alert?.endsWith(`/${alert}`) === true };
};

const hushAnswers: Way = (evidence, draw) => {
  const life = pick(overLives(evidence), draw);
  if (life === undefined) return undefined;
  const entries = numbered(entriesOf(evidence).filter((entry) => !isStepOf(entry, life, "acknowledged", "resolved")));
  return { entries, kinds: ["unescalated", "unacknowledged"], about: ofAlert(life) };
};

const forgeAnswer: Way = (evidence, draw) => {
  const life = pick(
    overLives(evidence).filter((one) => stepOf(one, "acknowledged")),
    draw,
  );
  if (life === undefined) return undefined;
  const without = draw() < 0.5;
  const entries = entriesOf(evidence).map((entry): Entry => {
    if (!isStepOf(entry, life, "acknowledged") || entry.kind !== "event" || !("by" in entry.event)) return entry;
    const { answer: _, ...unsigned } = entry;
    const by = entry.event.by === "nurse" ? "doctor" : "nurse";
    return without ? unsigned : { ...entry, event: { ...entry.event, by } };
  });
  return { entries, kinds: ["forged"], about: ofAlert(life) };
};

const hushEscalation: Way = (evidence, draw) => {
  const life = pick(
    overLives(evidence).filter((one) => stepOf(one, "escalated")),
    draw,
  );
  if (life === undefined) return undefined;
  const answered = stepOf(life, "acknowledged")?.event.at ?? 0;
  const escalated = stepOf(life, "escalated")?.event.at ?? Infinity;
  if (answered <= escalated + evidence.plan.within) return undefined;
  const entries = numbered(entriesOf(evidence).filter((entry) => !isStepOf(entry, life, "escalated")));
  return { entries, kinds: ["unescalated"], about: ofAlert(life) };
};

/** Statements that count: those that were made again do not, nor those whose time is not due yet. */
function statedOf(evidence: AlertEvidence): Extract<Entry, { kind: "stated" }>[] {
  const stated = entriesOf(evidence).filter((entry) => entry.kind === "stated");
  const replaced = new Set(stated.map(({ statement }) => statement.supersedes));
  return stated.filter(
    ({ n, statement }) =>
      !replaced.has(n) && statement.supersedes === undefined && statement.to <= evidence.to - 3 * MINUTE,
  );
}

const skipStatement: Way = (evidence, draw) => {
  const gone = pick(statedOf(evidence), draw);
  if (gone === undefined) return undefined;
  const { rule, from } = gone.statement;
  const entries = numbered(entriesOf(evidence).filter((entry) => entry !== gone));
  return { entries, kinds: ["gap"], about: (finding) => finding.rule === rule && finding.at === from };
};

const claim: Way = (evidence, draw) => {
  const false_ = pick(statedOf(evidence), draw);
  if (false_ === undefined) return undefined;
  const { statement } = false_;
  const { state } = statement;
  const claims = [
    { state: { ...state, active: !state.active } },
    { state: { ...state, alerts: state.alerts + 1 } },
    { digest: statement.digest.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) },
    { count: statement.count + 1 },
  ];
  const altered = { ...false_, statement: { ...statement, ...pick(claims, draw) } };
  const entries = entriesOf(evidence).map((entry) => (entry === false_ ? altered : entry));
  const { rule, from } = statement;
  return { entries, kinds: ["wrong"], about: (finding) => finding.rule === rule && finding.at === from };
};

/** An answer that was signed, for another alert. */
const replayAnswer: Way = (evidence, draw) => {
  const answered = overLives(evidence).filter((one) => stepOf(one, "acknowledged"));
  const [life, other] = [pick(answered, draw), pick(answered, draw)];
  if (life === undefined || other === undefined || life === other) return undefined;
  const step = stepOf(other, "acknowledged");
  const entries = entriesOf(evidence).map((entry): Entry => {
    if (!isStepOf(entry, life, "acknowledged") || entry.kind !== "event" || !step?.answer) return entry;
    return { ...entry, answer: step.answer };
  });
  return { entries, kinds: ["forged"], about: ofAlert(life) };
};

/** A snooze that lasts longer than the responder signed. */
const stretchSnooze: Way = (evidence, draw) => {
  const life = pick(
    overLives(evidence).filter((one) => stepOf(one, "snoozed")),
    draw,
  );
  if (life === undefined) return undefined;
  const by = 1 + Math.floor(draw() * MINUTE);
  let done = false;
  const entries = entriesOf(evidence).map((entry): Entry => {
    if (done || !isStepOf(entry, life, "snoozed") || entry.kind !== "event" || entry.event.kind !== "snoozed")
      return entry;
    done = true;
    return { ...entry, event: { ...entry.event, until: entry.event.until + by } };
  });
  return { entries, kinds: ["forged"], about: ofAlert(life) };
};

/** What was written late, dated as if it had been in time. */
const backdate: Way = (evidence, draw) => {
  const life = pick(overLives(evidence), draw);
  if (life === undefined) return undefined;
  const by = 1 + Math.floor(draw() * 30 * MINUTE);
  const entries = entriesOf(evidence).map((entry): Entry =>
    isStepOf(entry, life, "opened") ? { ...entry, at: entry.at + by } : entry,
  );
  return { entries, kinds: ["wrong"], about: ofAlert(life) };
};

/** A time that is stated a second time, from a state of the monitor's own choice. */
const overlap: Way = (evidence, draw) => {
  const stated = pick(statedOf(evidence), draw);
  if (stated === undefined || stated.statement.before !== undefined) return undefined;
  const { watches } = evidence.plan;
  const rule = watches.find((watch) => watch.rule.name === stated.statement.rule)?.rule;
  if (rule === undefined) return undefined;
  const from = stated.statement.from - 1;
  const before = begunAt(rule, from).state;
  const altered = { ...stated, statement: { ...stated.statement, from, before } };
  const entries = entriesOf(evidence).map((entry) => (entry === stated ? altered : entry));
  return { entries, kinds: ["wrong"], about: (one) => one.rule === rule.name && one.at === from };
};

const WAYS = {
  ...{ suppress, delay, forge, hushAnswers, forgeAnswer, hushEscalation, skipStatement, claim },
  ...{ replayAnswer, stretchSnooze, backdate, overlap },
} as const;

export interface TamperingReport {
  readonly tried: Readonly<Record<keyof typeof WAYS, number>>;
  /** Tampered with, and not listed. */
  readonly unseen: readonly string[];
  /** Listed, and not tampered with; or listed more than once. */
  readonly blamed: readonly string[];
}

/** Tampers in random ways, one at a time, with what an honest monitor wrote. */
export function tamper(evidence: AlertEvidence, times: number, seed: number): TamperingReport {
  const draw = mulberry32(seed);
  const names = Object.keys(WAYS) as (keyof typeof WAYS)[];
  const tried = Object.fromEntries(names.map((name) => [name, 0])) as Record<keyof typeof WAYS, number>;
  const [unseen, blamed]: [string[], string[]] = [[], []];
  for (let done = 0, attempts = 0; done < times && attempts < 20 * times; attempts++) {
    const name = names[attempts % names.length] as keyof typeof WAYS;
    const cheat = WAYS[name](evidence, draw);
    if (cheat === undefined) continue;
    done += 1;
    tried[name] += 1;
    const { findings } = auditAlerts({ ...evidence, entries: cheat.entries.map(placed) });
    const fitting = findings.filter((one) => cheat.about(one) && cheat.kinds.includes(one.kind));
    const label = `${name}, number ${done} of seed ${seed}`;
    if (fitting.length === 0) unseen.push(label);
    for (const one of findings) if (one !== fitting[0]) blamed.push(`${label}: ${one.kind} ${one.text}`);
  }
  return { tried, unseen, blamed };
}

const placed = (entry: Entry): Placed => ({ entry, object: `header of entry ${entry.n}` });
