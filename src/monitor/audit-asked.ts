import { takesUp } from "./audit-episodes.ts";
import { iso, type AlertFinding, type Context } from "./audit-finding.ts";
import { stepOf, type Life, type Step } from "./life.ts";
import { alertName } from "./plan.ts";
import { quietUntil } from "./quiet.ts";
import type { TrueEpisode } from "./truth.ts";

/** Somebody was asked in time, the next one when nobody answered, and in the end somebody did. */
export function checkAsked({ plan, watch, until: to, truth }: Context, life: Life): AlertFinding[] {
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
