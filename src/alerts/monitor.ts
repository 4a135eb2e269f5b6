import { ENDED, type Alert, type AlertEvent, type Watch } from "./alert.ts";
import { NoSuchAlertError, TooLateError } from "./errors.ts";
import { observationsFor, type Heard } from "./reading.ts";
import type { Observation, Result } from "./state.ts";
import { Timeline, type Episode, type TimelinePast } from "./timeline.ts";

interface Watched {
  readonly watch: Watch;
  readonly timeline: Timeline;
}

/** What a monitor knew, to go on from. */
export interface MonitorPast {
  /** By the names of rules. */
  readonly timelines: ReadonlyMap<string, TimelinePast>;
  /** That came since, in their order. */
  readonly readings: readonly Heard[];
  readonly alerts: readonly Alert[];
}

/** Whether only critical alerts may disturb somebody now. */
export type IsQuiet = (now: number) => boolean;

/** What is known of a rule at a moment; episodes that ended before `from` may be forgotten. */
interface Seen {
  readonly episodes: readonly Episode[];
  readonly from: number;
  readonly now: number;
}

/**
 * From readings, clock ticks and what responders do to the life of alerts. Without a clock, randomness or store of its
 * own: the same calls give the same events, so a restart plays its journal again.
 *
 * One episode is one alert. An alert that is open takes up every further episode of its rule, so nothing flaps; it is
 * over when it is acknowledged and its condition has ended, or when somebody resolves it. Nothing else ends it. Where it
 * gets worse than it was when it was acknowledged, it is not any more.
 */
export class Monitor {
  readonly #watched: readonly Watched[];
  readonly #alerts = new Map<string, Alert>();
  /** What was last said of each rule, to tell quickly that nothing has changed. */
  readonly #said = new Map<string, string>();

  readonly #isQuiet: IsQuiet;

  /** @param watches - Rules of different names. */
  constructor(watches: readonly Watch[], isQuiet: IsQuiet = () => false, past?: MonitorPast) {
    this.#isQuiet = isQuiet;
    this.#watched = watches.map((watch) => ({
      watch,
      timeline: new Timeline(watch.rule, watch.lateness, past?.timelines.get(watch.rule.name)),
    }));
    for (const alert of past?.alerts ?? []) this.#alerts.set(alert.id, alert);
    for (const recorded of past?.readings ?? []) {
      for (const { watch, timeline } of this.#watched)
        for (const one of observationsFor(watch.rule, recorded)) addIfInTime(timeline, one);
    }
  }

  /** The observations of a rule, see `Timeline`. */
  timelineOf(rule: string): Timeline {
    return this.#of(rule).timeline;
  }

  /** Every alert of the time that is remembered, resolved or not. */
  get alerts(): readonly Alert[] {
    return [...this.#alerts.values()];
  }

  /** What a rule says at a time: a value, or why there is none. */
  resultAt(rule: string, now: number): Result {
    return this.#of(rule).timeline.at(now).result;
  }

  /** Takes in a reading, or why there is none, for every rule that looks at its channel. */
  hear(heard: Heard, now: number): readonly AlertEvent[] {
    return this.#watched.flatMap((watched) =>
      observationsFor(watched.watch.rule, heard).flatMap((one) => this.#take(watched, one, now)),
    );
  }

  /** Takes in an observation for one rule. */
  observe(rule: string, observation: Observation, now: number): readonly AlertEvent[] {
    return this.#take(this.#of(rule), observation, now);
  }

  /** Finds what time alone brings about: silence, the end of a duration, a responder who does not answer. */
  tick(now: number): readonly AlertEvent[] {
    return this.#watched.flatMap((watched) => [...this.#reconcile(watched, now, false), ...this.#ask(watched, now)]);
  }

  /** Asks who is to be asked for what is open, and evaluates nothing. */
  ask(now: number): readonly AlertEvent[] {
    return this.#watched.flatMap((watched) => this.#ask(watched, now));
  }

  /** @throws NoSuchAlertError when it is not there or resolved. */
  acknowledge(id: string, by: string, now: number): readonly AlertEvent[] {
    const alert = this.#open(id);
    if (alert.acknowledgedBy !== undefined) return [];
    this.#alerts.set(id, { ...alert, acknowledgedBy: by });
    return [{ kind: "acknowledged", alert: id, at: now, by }, ...this.#resolveEnded(id, now)];
  }

  /** @throws NoSuchAlertError when it is not there or resolved. */
  resolve(id: string, by: string, now: number): readonly AlertEvent[] {
    this.#alerts.set(id, { ...this.#open(id), resolvedBy: by });
    return [{ kind: "resolved", alert: id, at: now, by }];
  }

  /**
   * Asks nobody about this one alert before `until`. It is bound to the alert and the level it has now, and no reading
   * begins it anew.
   *
   * @throws NoSuchAlertError when it is not there or resolved.
   */
  snooze(id: string, by: string, until: number, now: number): readonly AlertEvent[] {
    const alert = this.#open(id);
    this.#alerts.set(id, { ...alert, snooze: { until, level: alert.level } });
    return [{ kind: "snoozed", alert: id, at: now, by, until }];
  }

  #take(watched: Watched, observation: Observation, now: number): readonly AlertEvent[] {
    const late = addIfInTime(watched.timeline, observation);
    if (late === undefined) return [{ kind: "tooLate", rule: watched.watch.rule.name, at: now }];
    return [...this.#reconcile(watched, now, late), ...this.#ask(watched, now)];
  }

  /** Brings the alerts of a rule in line with its episodes. What was opened stays until it is resolved. */
  #reconcile({ timeline, watch }: Watched, now: number, late: boolean): readonly AlertEvent[] {
    const { state } = timeline.at(now);
    const said = `${state.alerts} ${state.active} ${state.changedAt} ${timeline.level}`;
    const rule = watch.rule.name;
    if (!late && said === this.#said.get(rule)) return [];
    this.#said.set(rule, said);
    const seen = { episodes: timeline.episodesAt(now), from: state.time - watch.lateness, now };
    const events = this.#ofRule(rule).flatMap((alert) => this.#follow(alert, seen));
    for (const episode of seen.episodes) {
      const known = this.#ofRule(rule);
      if (known.some((alert) => isOpen(alert) || isOf(alert, episode))) continue;
      const alert = opened(rule, episode);
      this.#alerts.set(alert.id, alert);
      events.push({ kind: "opened", alert: alert.id, at: now }, ...this.#follow(alert, seen));
    }
    return events;
  }

  /** What the episodes now say of one alert. */
  #follow(alert: Alert, { episodes, from, now }: Seen): readonly AlertEvent[] {
    const { id, clearedAt: before, ...rest } = alert;
    const last = lastOf(alert, episodes);
    if (last === undefined && before !== undefined && before < from) {
      if (!isOpen(alert)) this.#alerts.delete(id);
      return [];
    }
    const clearedAt = last === undefined ? (before ?? now) : last.clearedAt;
    const cleared = clearedAt === undefined ? {} : { clearedAt };
    const returned = last !== undefined && last.raisedAt > alert.raisedAt ? { returnedAt: last.raisedAt } : {};
    const followed = { ...rest, id, ...cleared, ...returned, refuted: last === undefined };
    const again = clearedAt === undefined && before !== undefined;
    const reopens = again && alert.resolvedBy === ENDED;
    const level = Math.max(alert.level, isOpen(alert) ? levelOf(alert, episodes) : (reopens && last?.level) || 0);
    if (reopens) this.#alerts.set(id, reopened({ ...followed, level }, now));
    else this.#alerts.set(id, isOpen(alert) && level > alert.level ? risen(followed, level, now) : followed);
    if (!isOpen(alert) && !reopens) return [];
    const events: AlertEvent[] = [];
    if (last === undefined && !alert.refuted) events.push({ kind: "refuted", alert: id, at: now });
    if (clearedAt !== undefined && before === undefined) events.push({ kind: "cleared", alert: id, at: now });
    if (again) events.push({ kind: "raisedAgain", alert: id, at: now });
    return [...events, ...this.#resolveEnded(id, now)];
  }

  #resolveEnded(id: string, now: number): readonly AlertEvent[] {
    const { acknowledgedBy, clearedAt } = this.#open(id);
    return acknowledgedBy === undefined || clearedAt === undefined ? [] : this.resolve(id, ENDED, now);
  }

  /**
   * Asks the first responder at once, the next one when nobody has answered in time, and again after a snooze. A rise of
   * the level begins anew at once; a return of the condition does when everybody was asked and had their time, so that
   * one that comes and goes does not keep the next one from being asked.
   */
  #ask({ watch }: Watched, now: number): readonly AlertEvent[] {
    const events: AlertEvent[] = [];
    for (const alert of this.#ofRule(watch.rule.name)) {
      if (alert.acknowledgedBy !== undefined || !isOpen(alert)) continue;
      // What is not critical waits for the morning, and nothing of it is lost.
      if (alert.level < (watch.criticalFrom ?? 0) && this.#isQuiet(now)) continue;
      const { snooze, ...rest } = alert;
      if (snooze !== undefined && now < snooze.until && alert.level <= snooze.level) continue;
      const unanswered = snooze === undefined && now >= alert.askedAt + watch.answerWithin;
      const isBack = unanswered && alert.asked === watch.responders.length && hasReturned(alert);
      const next = isBack || alert.asked === 0 || (unanswered && alert.asked < watch.responders.length);
      if (!next && snooze === undefined) continue;
      const asked = isBack ? 1 : next ? alert.asked + 1 : alert.asked;
      const to = watch.responders[asked - 1] as string;
      const { risenFrom, ...back } = rest;
      const begun = next && asked === 1 ? { begunAt: now } : {};
      this.#alerts.set(alert.id, { ...(isBack ? back : rest), ...begun, asked, askedAt: now });
      const worse = isBack || risenFrom === undefined ? {} : { worse: { from: risenFrom, to: alert.level } };
      const kind = next && asked > 1 ? "escalated" : "notified";
      events.push({ kind, alert: alert.id, at: now, to, ...worse });
    }
    return events;
  }

  #ofRule(name: string): Alert[] {
    return this.alerts.filter(({ rule }) => rule === name);
  }

  #of(rule: string): Watched {
    const watched = this.#watched.find(({ watch }) => watch.rule.name === rule);
    if (watched === undefined) throw new NoSuchAlertError("the plan has no rule of this name");
    return watched;
  }

  #open(id: string): Alert {
    const alert = this.#alerts.get(id);
    if (alert === undefined || !isOpen(alert)) throw new NoSuchAlertError("no open alert has this id");
    return alert;
  }
}

/** @returns undefined for one that came too late. */
function addIfInTime(timeline: Timeline, observation: Observation): boolean | undefined {
  try {
    return timeline.add(observation);
  } catch (error) {
    if (!(error instanceof TooLateError)) throw error;
    return undefined;
  }
}

const opened = (rule: string, { raisedAt }: Episode): Alert => ({
  id: `${rule}/${raisedAt}`,
  rule,
  raisedAt,
  level: 0,
  asked: 0,
  askedAt: 0,
  refuted: false,
});

/** A late reading has shown that the condition which was thought to have ended lasts: somebody must look again. */
function reopened({ resolvedBy: _, acknowledgedBy: __, risenFrom: ___, ...alert }: Alert, now: number): Alert {
  return { ...alert, asked: 0, reopenedAt: now };
}

/** It got worse: what was answered, and who was asked, were of a lower level. */
function risen({ acknowledgedBy, snooze: _, ...alert }: Alert, level: number, now: number): Alert {
  // Just opened, or still to be asked about: nobody was told less.
  if (alert.asked === 0 && acknowledgedBy === undefined)
    return { ...alert, level, ...(alert.level > 0 ? { risenAt: now } : {}) };
  return {
    ...alert,
    level,
    asked: 0,
    risenAt: now,
    risenFrom: alert.asked > 0 ? alert.level : (alert.risenFrom ?? alert.level),
  };
}

/** The highest level of its episodes: while it is open, all further ones are its own. */
const levelOf = (alert: Alert, episodes: readonly Episode[]): number =>
  Math.max(
    0,
    ...episodes.filter(({ clearedAt = Infinity }) => clearedAt > alert.raisedAt).map(({ level = 0 }) => level),
  );

/** Whether its condition has begun again since the first responder was asked. */
const hasReturned = ({ returnedAt = 0, begunAt, askedAt }: Alert): boolean => returnedAt > (begunAt ?? askedAt);

const isOpen = ({ resolvedBy }: Alert): boolean => resolvedBy === undefined;

/** Whether an episode is the alert's: late readings may move its ends. One that begins where it ended is another. */
const isOf = (alert: Alert, episode: Episode): boolean =>
  episode.raisedAt === alert.raisedAt ||
  (episode.raisedAt < (alert.clearedAt ?? Infinity) && alert.raisedAt < (episode.clearedAt ?? Infinity));

/** The last episode of an alert: while it is open every further one is its own, after that those that it has covered. */
function lastOf(alert: Alert, episodes: readonly Episode[]): Episode | undefined {
  if (isOpen(alert)) return episodes.findLast(({ clearedAt = Infinity }) => clearedAt > alert.raisedAt);
  const own = episodes.filter((episode) => isOf(alert, episode));
  if (alert.clearedAt !== undefined) return own.at(-1);
  // Resolved before its condition ended, it covers the rest of that episode and no other.
  return own.find(({ raisedAt }) => raisedAt === alert.returnedAt) ?? own[0];
}
