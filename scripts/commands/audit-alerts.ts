import { EXIT } from "../../src/errors.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Call, Command } from "../cli/command.ts";
import { describeSilence } from "../cli/silences.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import { joined, split, type Span } from "../../src/report/span.ts";
import type { OpenWindow } from "../cli/reader.ts";
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
    withAlerts(
      call,
      async (opened) => {
        const { from, to } = opened;
        const evidence = await opened.gather();
        const report = auditAlerts(evidence);
        const { ok, coverage, episodes, alerts, refuted, silences, findings } = report;
        const unread = evidence.unread ?? [];
        // Of what cannot be read nothing was due, which is not the same as all of it.
        const isJudged = unread.length === 0 || unread.length < evidence.plan.watches.length;
        const evaluated = isJudged
          ? `${coverage} % evaluated; ${count(episodes, "episode")}`
          : "how much was evaluated is not known";
        const window = shownWindow({ from: from / 1000, to: to / 1000 });
        call.io.result(
          { ...report, ...(isJudged ? {} : { coverage: null, episodes: null }), unread },
          `${window}: ${evaluated}, ${count(alerts, "alert")}, ${refuted} taken back; ${ok ? "every one as it should be" : count(findings.length, "finding")}`,
          ...(unread.length > 0
            ? [`Not looked into, as what they look at was not released to you: ${unread.join(", ")}`]
            : []),
          ...(silences.length > 0 ? ["Without data to judge:", ...silences.map(describeSilence)] : []),
          ...findings.map(
            ({ kind, alert, text, object }) => `${kind.toUpperCase()}: ${alert ? `${alert}: ` : ""}${text} (${object})`,
          ),
        );
        if (!ok) process.exitCode = EXIT.refused;
      },
      (window) => auditSealed(call, window),
    ),
};

/** What an audit grant alone shows: that there is a record, whole and in order, and nothing of what it says. */
async function auditSealed(call: Call, { access, request, deps, wish }: OpenWindow): Promise<void> {
  const spans: Span[] = [];
  const { headers, unfinished, findings } = await verifyWindow(access, request, deps, ({ place, keys }) => {
    const { epochLength } = keys.stream;
    spans.push({ from: place.epoch * epochLength, to: (place.epoch + 1) * epochLength });
  });
  const window = { from: wish.from, to: Math.max(wish.from + 1, Math.min(wish.to, deps.time)) };
  const bad = joined(findings.flatMap(({ span }) => span ?? []));
  const good = joined(spans).flatMap((span) => split(span, bad).outside);
  const length = (all: readonly Span[]): number => all.reduce((sum, { from, to }) => sum + to - from, 0);
  const recorded = Math.round((10_000 * length(split(window, joined(good)).inside)) / length([window])) / 100;
  const ok = findings.length === 0;
  call.io.result(
    { ok, recorded, headers, unfinished, findings, cannotSay: CANNOT_SAY },
    `${shownWindow(window)}: ${recorded} % has a signed and anchored record, ${count(headers, "header")}; ${ok ? "in order" : count(findings.length, "finding")}`,
    ...findings.map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
    "You may audit these alerts, not read them. Not to be said without reading:",
    ...CANNOT_SAY.map((what) => `  ${what}`),
  );
  if (!ok) process.exitCode = EXIT.refused;
}

const CANNOT_SAY = [
  "how much of this time was evaluated, by which rules: a record can be whole and say so of none of it",
  "whether an alert was called for, raised, passed on, answered or missed",
  "whether the answers are signed by who is said to have given them",
];
