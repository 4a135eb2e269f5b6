import { ENDED } from "../alerts/alert.ts";
import { alertOf, responderOf } from "./answer.ts";
import { CLOCK_SKEW, iso, type AlertEvidence, type AlertFinding, type Context } from "./audit-finding.ts";
import { stepOf, type Life, type Step } from "./life.ts";
import { raisedDigest } from "./once.ts";
import { alertName, type CarePlan } from "./plan.ts";

/** What responders are said to have done they have signed. */
export function checkAnswers({ plan, watch }: Context, life: Life): AlertFinding[] {
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
    if (!isSigned(plan, life, step))
      return [{ ...said, text: `said to be ${event.kind}, but not signed by who is said to have done so` }];
    const reopened =
      life.steps.findLast(({ event: one, n }) => one.kind === "raisedAgain" && n < step.n)?.event.at ?? 0;
    const ended = life.steps.some(({ event: one, n }) => one.kind === "resolved" && n < step.n && one.at <= reopened);
    if (!ended || (step.answer?.answer.at ?? 0) >= reopened) return [];
    return [{ ...said, text: `said to be ${event.kind}, by an answer from before it came back` }];
  });
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

/** Seconds; that of AlertRules. */
const ON_CHAIN_DEADLINE = 900;

/** What the plan wants on chain was raised there in time, and is acknowledged or escalated when its time is over. */
export function checkOnChain({ plan, to, onChain }: AlertEvidence, life: Life): AlertFinding[] {
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
