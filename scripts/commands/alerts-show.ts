import { worseWords } from "../../src/alerts/alert.ts";
import { NoSuchAlertError } from "../../src/alerts/errors.ts";
import { livesOf } from "../../src/monitor/life.ts";
import { alertName } from "../../src/monitor/plan.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Command } from "../cli/command.ts";
import { shown } from "../cli/times.ts";
import { stateOf } from "./alerts-list.ts";

const STEP_WORDS = {
  opened: "opened",
  notified: "notified",
  escalated: "passed on to",
  acknowledged: "acknowledged",
  snoozed: "snoozed",
  cleared: "condition ended",
  raisedAgain: "raised again",
  refuted: "taken back by a late reading",
  resolved: "resolved",
} as const;

export const command: Command = {
  summary:
    "Shows one alert step by step: who was asked when, who answered, and the sealed object that each step stands in",
  words: "ALERT",
  options: ALERTS,
  examples: [["alerts show 1a2b3c4d/fast-heart/1772352000000 --as lee", "as the notice or the list names it"]],
  run: (call) =>
    withAlerts(call, ({ plan, entries }) => {
      const name = call.word("alert");
      const life = livesOf(entries).find(({ id }) => alertName(plan, id) === name);
      if (life === undefined)
        throw new NoSuchAlertError("no alert of this name is written there", { hint: "see medseal alerts list" });
      const lines = life.steps.map(({ event, level, object }, i) => {
        const who = "to" in event ? ` ${event.to}` : "by" in event ? ` by ${event.by}` : "";
        const until = event.kind === "snoozed" ? ` until ${shown(Math.floor(event.until / 1000))}` : "";
        const rises = level > (life.steps[i - 1]?.level ?? 0) ? `, level ${level}` : "";
        const severe = "worse" in event && event.worse ? `, ${worseWords(event.worse)}` : rises;
        return `  ${shown(Math.floor(event.at / 1000))}  ${STEP_WORDS[event.kind]}${who}${until}${severe}  (${object})`;
      });
      call.io.result({ alert: name, state: stateOf(life), steps: life.steps }, `${name}: ${stateOf(life)}`, ...lines);
      return Promise.resolve();
    }),
};
