import { measure } from "../../src/alerts/measure.ts";
import type { Status } from "../../src/alerts/state.ts";
import type { Statement } from "../../src/monitor/statement.ts";
import { acknowledgementOf, livesOf, resolutionOf, stepOf, type Life, type Placed } from "../../src/monitor/life.ts";
import { alertName, type CarePlan } from "../../src/monitor/plan.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Command } from "../cli/command.ts";
import { STATUS_WORDS } from "../cli/silences.ts";
import { shown } from "../cli/times.ts";

export const command: Command = {
  summary: "Lists the alerts of a patient, from the sealed stream that was released to you",
  options: { ...ALERTS, open: { type: "boolean", help: "only those that are not over" } },
  examples: [
    ["alerts list --as lee", "all that was granted"],
    ["alerts list --open --patient Ann --as lee", "what is still to be done"],
  ],
  run: (call) =>
    withAlerts(call, ({ plan, entries }) => {
      const lives = livesOf(entries).filter((life) => !call.flag("open") || !resolutionOf(life));
      const alerts = lives.map((life) => summary(plan, life));
      const lines = alerts.map(
        ({ alert, raisedAt, level, state }) =>
          `${alert}  ${shown(Math.floor(raisedAt / 1000))}${level > 0 ? `, level ${level}` : ""}: ${state}`,
      );
      const states = statesOf(plan, entries);
      call.io.result(
        { plan: plan.id, alerts, states },
        ...(lines.length > 0 ? lines : ["No alert in this time."]),
        ...states.map(({ rule, status, at }) => `${rule}: ${STATUS_WORDS[status]}, at ${shown(Math.floor(at / 1000))}`),
      );
      return Promise.resolve();
    }),
};

/** What each rule had to judge at the end of its newest statement. */
function statesOf({ watches }: CarePlan, entries: readonly Placed[]): { rule: string; status: Status; at: number }[] {
  return watches.flatMap(({ rule }) => {
    const newest = entries
      .flatMap(({ entry }) => (entry.kind === "stated" && entry.statement.rule === rule.name ? [entry.statement] : []))
      .reduce<Statement | undefined>((last, one) => (last && last.to > one.to ? last : one), undefined);
    return newest ? [{ rule: rule.name, status: measure(rule, newest.state).status, at: newest.to }] : [];
  });
}

interface Summary {
  readonly alert: string;
  readonly rule: string;
  readonly raisedAt: number;
  readonly level: number;
  readonly state: string;
}

function summary(plan: CarePlan, life: Life): Summary {
  const level = Math.max(...life.steps.map((step) => step.level));
  return { alert: alertName(plan, life.id), rule: life.rule, raisedAt: life.raisedAt, level, state: stateOf(life) };
}

/** In words: how far it has come. */
export function stateOf(life: Life): string {
  const last = (kind: "cleared" | "raisedAgain"): number =>
    life.steps.findLast(({ event }) => event.kind === kind)?.n ?? -1;
  const taken = acknowledgementOf(life);
  const over = resolutionOf(life)?.event;
  if (stepOf(life, "refuted")) return "taken back by a late reading";
  if (over && "by" in over) return `over: ${over.by}`;
  const condition = last("cleared") > last("raisedAgain") ? "its condition has ended" : "its condition lasts";
  if (taken === undefined || !("by" in taken.step.event)) return `nobody has answered, ${condition}`;
  const { by } = taken.step.event;
  if (taken.holds) return `taken up by ${by}, ${condition}`;
  return `came back or got worse after ${by} had taken it up, and nobody has answered since, ${condition}`;
}
