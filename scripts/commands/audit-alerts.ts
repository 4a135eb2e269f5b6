import { EXIT } from "../../src/errors.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Command } from "../cli/command.ts";
import { describeSilence } from "../cli/silences.ts";
import { count, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Compares the alerts of a time with what the anchored readings call for: missed, false, late, unacknowledged, unescalated, forged answers, and how much of the time was evaluated. Each finding names the sealed object that shows it. Exit 1 with findings, 4 when chain or store do not answer",
  options: ALERTS,
  examples: [
    ["audit alerts --from 2026-03-01 --to 2026-03-02 --as auditor", "one day"],
    ["audit alerts --patient Ann --as auditor --json", "for a program"],
  ],
  run: (call) =>
    withAlerts(call, async (opened) => {
      const { from, to } = opened;
      const evidence = await opened.gather();
      const report = auditAlerts(evidence);
      const { ok, coverage, episodes, alerts, refuted, silences, findings } = report;
      const unread = evidence.unread ?? [];
      const window = shownWindow({ from: from / 1000, to: to / 1000 });
      call.io.result(
        { ...report, unread },
        `${window}: ${coverage} % evaluated; ${count(episodes, "episode")}, ${count(alerts, "alert")}, ${refuted} taken back; ${ok ? "every one as it should be" : count(findings.length, "finding")}`,
        ...(unread.length > 0
          ? [`Not looked into, as what they look at was not released to you: ${unread.join(", ")}`]
          : []),
        ...(silences.length > 0 ? ["Without data to judge:", ...silences.map(describeSilence)] : []),
        ...findings.map(
          ({ kind, alert, text, object }) => `${kind.toUpperCase()}: ${alert ? `${alert}: ` : ""}${text} (${object})`,
        ),
      );
      if (!ok) process.exitCode = EXIT.refused;
    }),
};
