import { countsOf, reachOf } from "../../src/auditor/audited.ts";
import { auditBundle } from "../../src/auditor/fhir.ts";
import { levelOf, worstFirst } from "../../src/auditor/severity.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { auditPage } from "../../src/report/audit.ts";
import { audit, DEVICES, lookedAt } from "../cli/audits.ts";
import { flagLines, PLAUSIBLE } from "../cli/flags.ts";
import type { Command } from "../cli/command.ts";
import { AGAINST, historyLines } from "../cli/history.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { WINDOW } from "../cli/reader.ts";
import { count, ownZone, utc } from "../cli/times.ts";
import { VERIFYING } from "../cli/verifier.ts";

export const command: Command = {
  summary:
    "Reports what medseal verify finds, the worst first: as a page, as JSON, or as FHIR R4 (AuditEvent, Provenance). Exit 1 with findings, 4 when chain or store do not answer: then there is no report",
  options: {
    gateway: { type: "string", value: "NAME|ADDRESS", help: "whose whole archive, without a key" },
    ...WINDOW,
    ...AGAINST,
    ...DEVICES,
    ...PLAUSIBLE,
    ...VERIFYING,
    html: { type: "string", value: "FILE", help: "where the page goes (only you may read it)" },
    fhir: { type: "boolean", help: "a FHIR R4 Bundle on stdout" },
    zone: { type: "string", value: "ZONE", help: "times in this zone, Europe/Berlin; your own without it" },
  },
  examples: [
    ['audit --gateway "Ward gateway" --html audit.html --as auditor', "a page to print"],
    ["audit --gateway 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --json > mine.json", "for another auditor to compare"],
    ["audit --stream heart-rate --fhir --as auditor > audit.json", "for a FHIR server"],
  ],
  async run(call) {
    const file = call.text("html");
    if (call.flag("fhir") && call.io.json) throw new UsageError("either --json or --fhir says how to write it");
    if (call.text("against") !== undefined && call.text("gateway") === undefined)
      throw new UsageError("--against goes with --gateway");
    if (call.flag("plausible") && call.text("stream") === undefined)
      throw new UsageError("--plausible goes with --stream");
    if (file !== undefined) await checkNew(file);
    const zone = ownZone(call.text("zone"));
    const audited = await audit(call);
    const findings = worstFirst(audited.report.findings).map((finding) => ({ level: levelOf(finding), ...finding }));
    const { ok } = audited.report;
    if (file !== undefined) await writeNew(file, auditPage(audited, zone));
    if (call.flag("fhir")) call.io.line(JSON.stringify(auditBundle(audited)));
    else
      call.io.result(
        {
          ok,
          kind: audited.kind,
          at: utc(audited.at),
          chainId: audited.chainId,
          recordAnchor: audited.recordAnchor,
          gateways: audited.rested.map(({ gateway }) => gateway),
          checked: Object.fromEntries(countsOf(audited)),
          findings,
          ...(audited.kind === "window" && audited.flags ? { flags: audited.flags } : {}),
          blind: reachOf(audited).blind,
          ...(audited.kind === "archive"
            ? { history: audited.rested.flatMap(({ checkpoints }) => historyLines(checkpoints)) }
            : {}),
          ...(file === undefined ? {} : { file }),
        },
        `${lookedAt(audited)}: ${ok ? reachOf(audited).shows : count(findings.length, "finding")}`,
        ...findings.map(({ level, kind, text }) => `${level.toUpperCase()} (${kind}): ${text}`),
        ...flagLines(audited),
        reachOf(audited).blind,
        ...(file === undefined ? [] : [`The page is in ${file}.`]),
      );
    if (!ok) process.exitCode = EXIT.refused;
  },
};
