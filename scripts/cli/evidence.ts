import { hex0x } from "../../src/bytes/bytes.ts";
import { actionNames } from "../../src/consent/actions.ts";
import type { Bundle } from "../../src/evidence/bundle.ts";
import type { EvidenceReport } from "../../src/evidence/verify.ts";
import type { ShownConsent, TrustedChain } from "../../src/evidence/chain.ts";
import { count, shownWindow, utc } from "./times.ts";
import { knownCode } from "./verify-proof.ts";

/** The code that the contracts of a bundle must have. */
export const trustedCode = async ({ chainId, registry, anchor }: Bundle): Promise<TrustedChain> => ({
  registryCode: await knownCode("ConsentRegistry", chainId, hex0x(registry)),
  anchorCode: await knownCode("RecordAnchor", chainId, hex0x(anchor)),
});

/** The report for people: the worst first. */
export function evidenceLines(bundle: Bundle, report: EvidenceReport): string[] {
  const { headers, batches, readings, checkpoints, unrecorded, unshown, findings, missing, block } = report;
  const shown =
    bundle.shows === "headers"
      ? "without readings"
      : `${count(batches, "batch", "batches")} with ${count(readings, "reading")}`;
  const verdict =
    findings.length > 0
      ? count(findings.length, "finding")
      : missing.length > 0
        ? "INCOMPLETE"
        : headers === 0
          ? "it shows NOTHING of the window"
          : "nothing is wrong with it";
  return [
    `${shownWindow(bundle)}: ${count(headers, "header")}, ${shown}; ${verdict}`,
    ...findings.map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
    ...missing.map((text) => `MISSING: ${text}`),
    ...(unrecorded > 0
      ? [
          `  of ${count(unrecorded, "epoch")} in the window there is nothing: not recorded, not anchored by the block below, or not shown`,
        ]
      : []),
    ...(unshown > 0
      ? [
          `  ${count(unshown, "header")} between those shown ${unshown === 1 ? "is" : "are"} not: ${findings.length + missing.length > 0 ? "named above, or " : ""}of epochs outside the window, by the exporter's word`,
        ]
      : []),
    `  stream   ${hex0x(bundle.stream)}`,
    ...report.consents.map(consentLine),
    `  chain    ${bundle.chainId}: ${count(checkpoints, "checkpoint")} up to block ${block.number} of ${utc(block.timestamp)}`,
    `           ${block.hash}`,
    `  by       RecordAnchor ${hex0x(bundle.anchor)}`,
    `           ConsentRegistry ${hex0x(bundle.registry)}`,
  ];
}

function consentLine({ id, consent, inForce }: ShownConsent): string {
  const times = inForce?.map(
    ({ from, until }) => `from ${utc(from)} ${until === undefined ? "on" : `to ${utc(until)}`}`,
  );
  const state =
    times === undefined
      ? "its state is not shown"
      : times.length === 0
        ? "not in force"
        : `in force ${times.join(", ")}`;
  return `  consent  ${id.slice(0, 12)}: ${actionNames(consent.actions).join(", ")} to ${consent.grantee} by ${consent.grantor}; ${state}`;
}
