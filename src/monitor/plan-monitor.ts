import { isDeepStrictEqual } from "node:util";
import type { Alert, AlertEvent } from "../alerts/alert.ts";
import { alertOf, type SignedAnswer, responderOf } from "./answer.ts";
import type { Content, Entry } from "./entry.ts";
import { AnswerRefusedError } from "./errors.ts";
import { Monitor, type MonitorPast } from "../alerts/monitor.ts";
import type { SignedPlan } from "./plan.ts";
import { observationsFor, type Heard } from "../alerts/reading.ts";
import { isQuiet } from "./quiet.ts";
import type { Rule } from "../alerts/rule.ts";
import { START, type Status } from "../alerts/state.ts";
import { clockAt, type TimelinePast } from "../alerts/timeline.ts";
import { evaluate } from "../alerts/evaluate.ts";
import { digestOf, stateAfter, type Statement } from "./statement.ts";

/** A statement, and the number of the entry that made it. */
export interface Made extends Statement {
  readonly n: number;
}

/** How far the statements of one rule have come. */
export interface Stated {
  /** Where the next one begins. */
  readonly next: number;
  /** From when on readings have come that the statements do not know. */
  readonly dirty: number | undefined;
  /** By time, as far back as readings may still come. */
  readonly made: readonly Made[];
}

/** What one plan's monitor knew. */
export interface PlanPast extends MonitorPast {
  readonly n: number;
  readonly stated: ReadonlyMap<string, Stated>;
  /** When another plan took its place. */
  readonly endedAt?: number;
}

/** What a rule knows when a plan begins: silence counts from then on, and nothing from before does. */
export const begunAt = (rule: Rule, now: number): TimelinePast => ({
  state: evaluate(rule, START, [clockAt(now)]).state,
  forgotten: now - 1,
  earlier: [],
  observations: [],
});

/** A clock of a responder may run ahead by this, in milliseconds. */
const CLOCK_SKEW = 15 * 60_000;

/** Watches over one patient by their plan, and says what it has evaluated. Without clock and store, as `Monitor`. */
export class PlanMonitor {
  readonly signed: SignedPlan;
  readonly #monitor: Monitor;
  readonly #stated: Map<string, Stated>;
  #n: number;
  #endedAt: number | undefined;

  constructor(signed: SignedPlan, past: PlanPast) {
    this.signed = signed;
    const { watches, quiet } = signed.plan;
    this.#monitor = new Monitor(watches, (now) => quiet !== undefined && isQuiet(quiet, now), past);
    this.#stated = new Map(past.stated);
    this.#n = past.n;
    this.#endedAt = past.endedAt;
  }

  /** Begins to watch. The first entry of a plan's stream says by what. */
  static begin(signed: SignedPlan, now: number): { monitor: PlanMonitor; entries: Entry[] } {
    const rules = signed.plan.watches.map(({ rule }) => rule);
    const timelines = new Map(rules.map((rule) => [rule.name, begunAt(rule, now)]));
    const stated = new Map(rules.map(({ name }) => [name, { next: now, dirty: undefined, made: [] }]));
    const monitor = new PlanMonitor(signed, { timelines, stated, readings: [], alerts: [], n: 0 });
    return { monitor, entries: monitor.#entries([{ kind: "plan", signed }], now) };
  }

  get alerts(): readonly Alert[] {
    return this.#monitor.alerts;
  }

  /** How many entries there are. */
  get n(): number {
    return this.#n;
  }

  /** By the names of rules. */
  get stated(): ReadonlyMap<string, Stated> {
    return this.#stated;
  }

  get timelines(): PlanPast["timelines"] {
    const { watches } = this.signed.plan;
    return new Map(watches.map(({ rule }) => [rule.name, this.#monitor.timelineOf(rule.name).past]));
  }

  /** Takes in a reading, or why there is none. */
  hear(heard: Heard, now: number): Entry[] {
    if (this.#endedAt !== undefined) return [];
    for (const { rule } of this.signed.plan.watches) {
      for (const { time } of observationsFor(rule, heard)) this.#touch(rule.name, time);
    }
    const noted = "report" in heard ? this.#entries([{ kind: "told", told: heard }], now) : [];
    return [...noted, ...this.#told(this.#monitor.hear(heard, now), now)];
  }

  /** What each rule says now: a value, or why there is none. */
  statuses(now: number): ReadonlyMap<string, Status> {
    const { watches } = this.signed.plan;
    return new Map(watches.map(({ rule: { name } }) => [name, this.#monitor.resultAt(name, now).status]));
  }

  /** What time alone brings about. */
  tick(now: number): Entry[] {
    const events = this.#endedAt === undefined ? this.#monitor.tick(now) : this.#monitor.ask(now);
    return this.#told(events, now);
  }

  /** Evaluates nothing more: another plan has taken its place. Who is asked for what is open still is. */
  end(by: string, now: number): Entry[] {
    const last = this.tick(now);
    this.#endedAt = now;
    return [...last, ...this.#entries([{ kind: "ended", by }], now)];
  }

  get endedAt(): number | undefined {
    return this.#endedAt;
  }

  /** @throws AnswerRefusedError, NoSuchAlertError. */
  answer(signed: SignedAnswer, now: number): Entry[] {
    const { answer } = signed;
    const id = alertOf(this.signed.plan, answer.alert);
    const by = responderOf(this.signed.plan, signed).name;
    const alert = this.alerts.find((one) => one.id === id);
    if (alert === undefined) throw new AnswerRefusedError("the plan has no such alert");
    if (answer.at > now + CLOCK_SKEW || answer.at < alert.raisedAt)
      throw new AnswerRefusedError("the answer is dated before the alert, or in the future");
    if (answer.at < (alert.reopenedAt ?? 0))
      throw new AnswerRefusedError("the answer is from before the alert came back", {
        hint: "a late reading has shown that its condition lasts: look at it again, and answer anew",
      });
    if (answer.at < (alert.risenAt ?? 0))
      throw new AnswerRefusedError("the answer is from before the alert got worse", {
        hint: "it has a higher level now: look at it again, and answer anew",
      });
    const events = this.#act(answer.act, alert, by, signed, now);
    return this.#told(events, now, signed);
  }

  #act(act: SignedAnswer["answer"]["act"], alert: Alert, by: string, { answer }: SignedAnswer, now: number) {
    if (act === "acknowledge") return this.#monitor.acknowledge(alert.id, by, now);
    if (act === "resolve") return this.#monitor.resolve(alert.id, by, now);
    if (answer.until <= now) throw new AnswerRefusedError("the snooze is over already");
    if (answer.level < alert.level)
      throw new AnswerRefusedError("the alert has become more severe than the snooze knows", {
        hint: "look at it again, then snooze it at the level that it has now",
      });
    return this.#monitor.snooze(alert.id, by, answer.until, now);
  }

  /** Statements begin anew at the next period: readings may have come that this monitor was not given. */
  skip(now: number): void {
    const { period, watches } = this.signed.plan;
    for (const { rule } of watches)
      this.#stated.set(rule.name, { next: Math.ceil(now / period) * period, dirty: undefined, made: [] });
  }

  /** Says what was evaluated in the periods that ended a period ago, and again where readings came late. */
  state(now: number): Entry[] {
    return this.signed.plan.watches.flatMap(({ rule }) => [...this.#again(rule, now), ...this.#next(rule, now)]);
  }

  /** Whether `state` has something to say. */
  owes(now: number): boolean {
    const { period, watches } = this.signed.plan;
    return watches.some(({ rule }) => {
      const { next, dirty } = this.#statedOf(rule.name);
      const isDue = boundaryAfter(next, period) <= Math.min(now - period, this.#endedAt ?? Infinity);
      return dirty !== undefined || isDue;
    });
  }

  #statedOf(rule: string): Stated {
    return this.#stated.get(rule) as Stated;
  }

  #touch(rule: string, time: number): void {
    const stated = this.#statedOf(rule);
    if (time >= stated.next || time >= (stated.dirty ?? Infinity)) return;
    this.#stated.set(rule, { ...stated, dirty: time });
  }

  #next(rule: Rule, now: number): Entry[] {
    const { period } = this.signed.plan;
    const stated = this.#statedOf(rule.name);
    const timeline = this.#monitor.timelineOf(rule.name);
    const end = Math.floor(Math.min(now - period, this.#endedAt ?? Infinity) / period) * period;
    const made = [...stated.made];
    const entries: Entry[] = [];
    let from = stated.next;
    for (let to = boundaryAfter(from, period); to <= end; to = boundaryAfter(from, period)) {
      const observations = timeline.observations(from, to);
      // A long time in which nothing came is said in one.
      if (observations.length === 0) {
        const [first] = timeline.observations(to, end);
        to = first === undefined ? end : Math.floor(first.time / period) * period;
      }
      const last = made.at(-1);
      const before = last?.to === from ? last.state : timeline.stateAt(from);
      const anew = last?.to === from ? {} : { before };
      const content = { ...this.#statement(rule, from, to, before), ...anew };
      const [entry] = this.#entries([{ kind: "stated", statement: content }], now) as [Entry];
      made.push({ ...content, n: entry.n });
      entries.push(entry);
      from = to;
    }
    this.#stated.set(rule.name, { ...stated, next: from, made: this.#recent(rule, made, now) });
    return entries;
  }

  /** Makes statements anew that a late reading has changed. */
  #again(rule: Rule, now: number): Entry[] {
    const stated = this.#statedOf(rule.name);
    const { dirty, made } = stated;
    if (dirty === undefined) return [];
    const entries: Entry[] = [];
    const timeline = this.#monitor.timelineOf(rule.name);
    const renewed = [...made];
    for (const [i, old] of made.entries()) {
      if (old.to <= dirty) continue;
      const last = renewed[i - 1];
      const before = last?.to === old.from ? last.state : timeline.stateAt(old.from);
      const fresh = this.#statement(rule, old.from, old.to, before);
      if (fresh.digest === old.digest && isDeepStrictEqual(fresh.state, old.state)) continue;
      const statement = { ...fresh, ...(old.before === undefined ? {} : { before }), supersedes: old.n };
      const [entry] = this.#entries([{ kind: "stated", statement }], now) as [Entry];
      renewed[i] = { ...statement, n: entry.n };
      entries.push(entry);
    }
    this.#stated.set(rule.name, { ...stated, dirty: undefined, made: renewed });
    return entries;
  }

  #statement(rule: Rule, from: number, to: number, before: Statement["state"]): Statement {
    const observations = this.#monitor.timelineOf(rule.name).observations(from, to);
    const state = stateAfter(rule, before, observations, to);
    return { rule: rule.name, from, to, count: observations.length, digest: digestOf(observations), state };
  }

  #recent({ name }: Rule, made: readonly Made[], now: number): readonly Made[] {
    const lateness = this.signed.plan.watches.find(({ rule }) => rule.name === name)?.lateness ?? 0;
    const kept = made.findIndex(({ to }) => to >= now - 1.5 * lateness);
    return kept === -1 ? made.slice(-1) : made.slice(kept);
  }

  #told(events: readonly AlertEvent[], now: number, answer?: SignedAnswer): Entry[] {
    const contents = events.map((event): Content => {
      const level = "alert" in event ? (this.alerts.find(({ id }) => id === event.alert)?.level ?? 0) : 0;
      const isTheirs = answer !== undefined && "by" in event && event.kind !== "resolved";
      const isResolution = answer?.answer.act === "resolve" && event.kind === "resolved";
      const theirs = answer && { answer: answer.answer, signature: answer.signature };
      return { kind: "event", event, level, ...(theirs && (isTheirs || isResolution) ? { answer: theirs } : {}) };
    });
    return this.#entries(contents, now);
  }

  #entries(contents: readonly Content[], now: number): Entry[] {
    return contents.map((content) => ({ plan: this.signed.plan.id, n: this.#n++, at: now, ...content }));
  }
}

/** The end of the period that a time lies in. */
const boundaryAfter = (time: number, period: number): number => (Math.floor(time / period) + 1) * period;
