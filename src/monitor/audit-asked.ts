import { takesUp } from "./audit-episodes.ts";
import { iso, type AlertFinding, type AlertFindingKind, type Context } from "./audit-finding.ts";
import { stepOf, type Life, type Step } from "./life.ts";
import { alertName } from "./plan.ts";
import { quietUntil } from "./quiet.ts";
import type { Rise, TrueEpisode } from "./truth.ts";

/**
 * Somebody was asked in time, the next one when nobody answered, all of them again when it came back or got worse, and in
 * the end somebody answered.
 */
export function checkAsked(context: Context, life: Life): AlertFinding[] {
  const opened = stepOf(life, "opened");
  if (opened === undefined) return [];
  const { truth, plan, until } = context;
  const episodes = truth?.episodes.filter((one) => takesUp(life, one)) ?? [];
  const asking = new Asking(context, life, opened, episodes);
  const rises = plan.asksOnce ? [] : risesAfter(opened, episodes);
  for (const step of life.steps) {
    while (rises[0] && knowsOf(step, rises[0])) asking.rise(rises.shift() as Rise);
    asking.step(step);
  }
  for (const rise of rises) asking.rise(rise);
  return asking.end(until);
}

/** When the readings show it worse than it was when it was opened, and than ever since. */
function risesAfter({ event, level: first }: Step, episodes: readonly TrueEpisode[]): Rise[] {
  let level = 0;
  const all = episodes.flatMap(({ rises }) => rises).filter((rise) => rise.level > level && (level = rise.level) > 0);
  return all.filter((rise) => rise.at > event.at || rise.level > first);
}

/** Whether a step was made by somebody who knew that it had got worse; who answers knows what was so when they signed. */
const knowsOf = ({ event, level, answer }: Step, rise: Rise): boolean =>
  event.at >= rise.at && level >= rise.level && (answer?.answer.at ?? Infinity) >= rise.at;

/** Goes through the life of one alert, and knows at each step who is to be asked next, and when. */
class Asking {
  readonly #context: Context;
  readonly #life: Life;
  readonly #opened: Step;
  readonly #episodes: readonly TrueEpisode[];
  readonly #criticalAt: number;
  readonly #findings: AlertFinding[] = [];
  #due: number;
  /** Since the asking last began. */
  #asked = 0;
  #begunAt = 0;
  #last: Step | undefined;
  /** That was last told or answered. */
  #level = 0;
  #snoozed = false;
  /** Also of what is answered: it may come back meanwhile. */
  #silentUntil = 0;
  #answered = false;
  #overAt: number | undefined;
  /** When everybody had had their time. */
  #unanswered: number | undefined;

  constructor(context: Context, life: Life, opened: Step, episodes: readonly TrueEpisode[]) {
    this.#context = context;
    this.#life = life;
    this.#opened = opened;
    this.#episodes = episodes;
    const critical = episodes.map(({ criticalAt = Infinity }) => criticalAt);
    this.#criticalAt = (context.watch.criticalFrom ?? 0) === 0 ? 0 : Math.min(Infinity, ...critical);
    this.#due = this.#awake(opened.event.at);
  }

  step(step: Step): void {
    const { event } = step;
    if (event.kind === "raisedAgain" && this.#overAt !== undefined) {
      this.#overAt = undefined;
      this.#begin(Math.max(event.at, this.#silentUntil));
    }
    if (this.#overAt !== undefined) return;
    if (event.kind === "notified" || event.kind === "escalated") this.#ask(step, event);
    if (event.kind === "snoozed") this.#snooze(step, event);
    if (event.kind !== "acknowledged" && event.kind !== "resolved") return;
    this.#checkDue(event.at);
    this.#answered = true;
    this.#level = step.level;
    this.#due = Infinity;
    this.#unanswered = undefined;
    if (event.kind === "resolved") this.#overAt = event.at;
  }

  /** By the readings; the steps so far do not know of it. */
  rise({ at, level }: Rise): void {
    if (this.#overAt !== undefined) {
      if (at >= this.#overAt) return;
      this.#asked = 0;
      this.#due = this.#awake(at);
      this.#checkDue(this.#overAt);
      return;
    }
    this.#checkDue(at);
    const waits = this.#asked === 0 && !this.#answered ? this.#due : Infinity;
    if ((this.#unanswered ?? 0) > at) this.#unanswered = undefined;
    this.#begin(at, waits);
    this.#silentUntil = 0;
    this.#level = Math.max(this.#level, level);
  }

  end(until: number): AlertFinding[] {
    const end = Math.min(until, this.#overAt ?? Infinity);
    const { responders } = this.#context.watch;
    if (!this.#checkDue(end) && !this.#answered && this.#unanswered !== undefined && end > this.#unanswered)
      this.#find("unacknowledged", this.#unanswered, `nobody of ${responders.join(", ")} has answered`);
    return this.#findings;
  }

  #snooze({ level }: Step, event: { readonly at: number; readonly until: number; readonly by: string }): void {
    const { at, until, by } = event;
    if (until <= at) return;
    if (!this.#answered) {
      this.#checkDue(at);
      // When the next one is to be asked already, only who was asked may still put it off.
      const { responders } = this.#context.watch;
      if (at > this.#due && !responders.slice(0, this.#asked).includes(by)) return;
    }
    this.#silentUntil = silenceOf(event, level, this.#episodes);
    if (this.#answered) return;
    this.#due = this.#awake(this.#silentUntil);
    this.#snoozed = true;
    if (at <= (this.#unanswered ?? 0)) this.#unanswered = undefined;
  }

  #ask(step: Step, event: { readonly kind: string; readonly at: number; readonly to: string }): void {
    const { plan, watch } = this.#context;
    const { responders, answerWithin } = watch;
    const isWorse = step.level > this.#level && (this.#answered || event.kind === "notified");
    // Once it is answered, nobody need be asked, but where it is said to have got worse.
    if (this.#answered && !isWorse) return;
    if (this.#asked > 0 && isWorse && event.to === responders[0]) {
      this.#checkDue(event.at);
      this.#begin(event.at);
    }
    const isOver = this.#asked === responders.length && event.at >= (this.#last?.event.at ?? 0) + answerWithin;
    const isAnew = this.#asked === 0 || (event.kind === "notified" && isOver && !this.#snoozed);
    const isLate = event.at > this.#due + plan.within;
    const kind = this.#last === undefined ? "late" : "unescalated";
    if (isLate) {
      const text = `${this.#next} was to be asked at ${iso(this.#due)}, and was at ${iso(event.at)}`;
      this.#find(kind, this.#due, text, step);
    }
    if (isAnew) this.#asked = 1;
    else if (event.kind === "escalated") this.#asked += 1;
    else if (!this.#snoozed && !isLate && event.to === responders[this.#asked - 1]) return;
    const expected = responders[this.#asked - 1];
    if (event.to !== expected) {
      // Where the one before was not asked, that is said already.
      if (!isLate || kind === "late")
        this.#find("unescalated", event.at, `${event.to} was asked instead of ${expected ?? "nobody"}`, step);
      this.#asked = Math.max(this.#asked, responders.indexOf(event.to) + 1);
    }
    this.#snoozed = false;
    this.#level = Math.max(this.#level, step.level);
    if (isAnew) this.#begunAt = event.at;
    this.#last = step;
    const deadline = event.at + answerWithin;
    const isAll = this.#asked >= responders.length;
    this.#due = this.#awake(isAll ? Math.max(deadline, this.#returnAfter(this.#begunAt)) : deadline);
    if (isAll) this.#unanswered = deadline;
  }

  /** When its condition next began again. */
  #returnAfter(time: number): number {
    if (this.#context.plan.asksOnce) return Infinity;
    return Math.min(Infinity, ...this.#episodes.map(({ raisedAt }) => raisedAt).filter((at) => at > time));
  }

  /** Whoever comes first is to be asked from `at` on. */
  #begin(at: number, orAt = Infinity): void {
    this.#answered = false;
    this.#snoozed = false;
    this.#asked = 0;
    this.#due = Math.min(orAt, this.#awake(at));
  }

  /** When somebody may be disturbed who was to be at `time`. */
  #awake(time: number): number {
    if (time === Infinity) return time;
    return Math.min(quietUntil(this.#context.plan.quiet, time), Math.max(time, this.#criticalAt));
  }

  get #next(): string {
    const { responders } = this.#context.watch;
    return responders[this.#asked % responders.length] as string;
  }

  /** @returns whether somebody was to be asked before `time`, and was not. */
  #checkDue(time: number): boolean {
    if (time <= this.#due + this.#context.plan.within) return false;
    this.#find("unescalated", this.#due, `${this.#next} was to be asked at ${iso(this.#due)}, and was not`);
    this.#due = Infinity;
    return true;
  }

  #find(kind: AlertFindingKind, at: number, text: string, { object }: Step = this.#opened): void {
    const { plan, watch } = this.#context;
    this.#findings.push({ kind, rule: watch.rule.name, alert: alertName(plan, this.#life.id), at, object, text });
  }
}

/** Until when a snooze lets everybody sleep: its end, or the moment at which the alert got more severe. */
function silenceOf(
  { at, until }: { readonly at: number; readonly until: number },
  level: number,
  episodes: readonly TrueEpisode[],
): number {
  const rises = episodes.flatMap((one) => one.rises).filter((rise) => rise.at > at && rise.level > level);
  return Math.min(until, ...rises.map((rise) => rise.at));
}
