import { iso, type AlertFinding, type Context } from "./audit-finding.ts";
import { resolutionOf, stepOf, type Life } from "./life.ts";
import { alertName } from "./plan.ts";
import type { TrueEpisode, Truth } from "./truth.ts";

/** Every episode has an alert: its own, or one that was open and took it up. */
export function checkEpisodes(
  { plan, watch, from, to }: Context,
  truth: Truth,
  lives: readonly Life[],
): AlertFinding[] {
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

export function takesUp(life: Life, { raisedAt, clearedAt = Infinity }: TrueEpisode): boolean {
  const over = resolutionOf(life)?.event.at ?? Infinity;
  return life.raisedAt === raisedAt || (life.raisedAt < clearedAt && raisedAt <= over);
}

/** A monitor that dates an event otherwise than its entry has made one of the two up. */
export const checkTimes = ({ plan }: Context, life: Life): AlertFinding[] =>
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
export function checkAlerts({ plan, watch, from }: Context, truth: Truth, lives: readonly Life[]): AlertFinding[] {
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
