import { Timeline } from "../../src/alerts/timeline.ts";
import { TooLateError } from "../../src/alerts/errors.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { observationsFor } from "../../src/alerts/reading.ts";
import { UsageError } from "../../src/errors.ts";
import { openIntake } from "../../src/intake/intake.ts";
import type { Command } from "../cli/command.ts";
import { userPath } from "../cli/io.ts";
import { ruleNamed } from "../cli/rules.ts";
import { intakeOptions, INTAKE } from "../cli/intake.ts";
import { STATUS_WORDS } from "../cli/silences.ts";
import { count, shown } from "../cli/times.ts";

const DAY = 86_400_000;

export const command: Command = {
  summary: "Tries an alert rule on a recording: when it would have alerted, and for how long. Nothing is kept",
  words: "NAME|FILE RECORDING",
  options: INTAKE,
  examples: [
    ["rules test fast-heart bidmc_01.csv --start 2026-03-01T08:00:00Z", "a recording with seconds from start"],
  ],
  async run(call) {
    const [name, file, ...more] = call.words;
    if (name === undefined || file === undefined || more.length > 0)
      throw new UsageError("a rule and a recording are to be named", { hint: "see --help" });
    const rule = await ruleNamed(name);
    const intake = await openIntake(userPath(file), await intakeOptions(call));
    const timeline = new Timeline(rule, DAY);
    let [readings, looked, tooLate] = [0, 0, 0];
    for await (const rows of intake.batches()) {
      for (const row of rows) {
        if (row.kind === "quarantined") continue;
        const isValue = row.observation.value.kind !== "missing";
        if (isValue) readings += 1;
        for (const one of observationsFor(rule, row.observation)) {
          if (isValue) looked += 1;
          try {
            timeline.add(one);
          } catch (error) {
            if (!(error instanceof TooLateError)) throw error;
            tooLate += 1;
          }
        }
      }
    }
    if (looked === 0)
      throw new UsageError("the rule looks at nothing in the recording", {
        hint: "compare code, system and unit: medseal rules show",
      });
    const { result } = evaluate(rule, timeline.state, []);
    const alerts = timeline.episodes.map(({ raisedAt, clearedAt }) => ({ raisedAt, clearedAt }));
    const lines = alerts.map(({ raisedAt, clearedAt }) => {
      const lasted = clearedAt === undefined ? "and lasts" : `for ${(clearedAt - raisedAt) / 1000} s`;
      return `  alert ${shown(Math.floor(raisedAt / 1000))} ${lasted}`;
    });
    call.io.result(
      { rule: rule.name, readings, looked, tooLate, alerts, status: result.status },
      `${rule.name}: ${count(looked, "value")} of ${count(readings, "reading")} looked at; ${count(alerts.length, "alert")}; at the end ${STATUS_WORDS[result.status]}`,
      ...lines,
    );
  },
};
