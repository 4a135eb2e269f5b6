import { hex, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { consentId } from "../consent/consent.ts";
import { cidOf } from "../ipfs/cid.ts";
import { countsOf, reachOf, type Audited } from "./audited.ts";
import type { Finding } from "./findings.ts";
import { levelOf, worstFirst, type Level } from "./severity.ts";

/** An audit as a FHIR R4 Bundle: an AuditEvent of the audit, one of each finding, worst first, and a Provenance of each checkpoint it rests on. */
export function auditBundle(audited: Audited): object {
  const findings = worstFirst(audited.report.findings);
  const resources = [
    verification(audited, findings[0]),
    ...findings.map((finding) => alarm(audited, finding)),
    ...provenances(audited),
  ];
  return {
    resourceType: "Bundle",
    type: "collection",
    timestamp: instant(audited.at),
    entry: resources.map((resource, i) => ({
      fullUrl: `urn:uuid:${uuidOf(`${i} ${JSON.stringify(resource)}`)}`,
      resource,
    })),
  };
}

/** AuditEvent.outcome: 0 success, 4 minor, 8 serious, 12 major failure. */
const OUTCOMES: Readonly<Record<Level, string>> = { tampering: "12", loss: "8", leave: "8", order: "4" };
const DICOM = "http://dicom.nema.org/resources/ontology/DCM";
const URI = "urn:ietf:rfc:3986";

function verification(audited: Audited, worst: Finding | undefined): object {
  const { findings } = audited.report;
  return {
    resourceType: "AuditEvent",
    type: { system: DICOM, code: "110100", display: "Application Activity" },
    subtype: [{ system: "urn:medseal:audit", code: audited.kind, display: `Verification of ${subjectOf(audited)}` }],
    action: "E",
    ...(audited.kind === "window"
      ? { period: { start: instant(audited.window.from), end: instant(audited.window.to) } }
      : {}),
    recorded: instant(audited.at),
    outcome: worst === undefined ? "0" : OUTCOMES[levelOf(worst)],
    outcomeDesc: worst === undefined ? reachOf(audited).shows : `${findings.length} findings`,
    ...doer(audited),
    entity: [
      {
        what: { identifier: identifierOf(audited), display: subjectOf(audited) },
        detail: countsOf(audited).map(([type, count]) => ({ type, valueString: String(count) })),
      },
    ],
  };
}

const alarm = (audited: Audited, finding: Finding): object => ({
  resourceType: "AuditEvent",
  type: { system: DICOM, code: "110113", display: "Security Alert" },
  subtype: [{ system: "urn:medseal:finding", code: finding.kind, display: `${finding.object} ${finding.kind}` }],
  action: "R",
  ...(finding.span === undefined
    ? {}
    : { period: { start: instant(finding.span.from), end: instant(finding.span.to) } }),
  recorded: instant(audited.at),
  outcome: OUTCOMES[levelOf(finding)],
  outcomeDesc: finding.text,
  ...doer(audited),
  entity: [
    {
      what: { identifier: { system: URI, value: `ipfs://${finding.cid}` }, display: finding.object },
      detail: [
        { type: "checkpoint", valueString: String(finding.checkpoint) },
        { type: "level", valueString: levelOf(finding) },
      ],
    },
  ],
});

/** Where what was audited comes from: who put it together, when it was anchored, and under which consent it was looked at. */
const provenances = (audited: Audited): object[] =>
  audited.rested.flatMap(({ gateway, checkpoints }) =>
    checkpoints.map(({ digest, root, index, size, transaction, block, time }) => ({
      resourceType: "Provenance",
      target: [
        { identifier: { system: URI, value: `ipfs://${cidOf(digest)}` }, display: `checkpoint ${index} of ${gateway}` },
      ],
      occurredDateTime: instant(time),
      recorded: instant(audited.at),
      ...(audited.kind === "window" ? { policy: [`urn:medseal:consent:${consentId(audited.consent)}`] } : {}),
      activity: { text: `anchored ${size} entries under the root ${hex(root)} in block ${block}` },
      agent: [
        { type: participant("assembler"), who: { identifier: account(audited, gateway), display: "gateway" } },
        { type: participant("verifier"), who: auditorOf(audited) },
      ],
      entity: [
        {
          role: "source",
          what: {
            identifier: { system: `urn:medseal:eip155:${audited.chainId}:transaction`, value: transaction },
            display: `anchor in ${audited.recordAnchor}`,
          },
        },
      ],
    })),
  );

const doer = (audited: Audited): object => ({
  agent: [{ who: auditorOf(audited), requestor: true }],
  source: { observer: { display: "MedSeal" } },
});

const auditorOf = ({ by }: Audited): object => ({ display: by ?? "an auditor without an identity" });

const participant = (code: "assembler" | "verifier"): object => ({
  coding: [{ system: "http://terminology.hl7.org/CodeSystem/provenance-participant-type", code }],
});

const account = ({ chainId }: Audited, address: string): object => ({
  system: URI,
  value: `urn:medseal:eip155:${chainId}:${address}`,
});

const subjectOf = (audited: Audited): string =>
  audited.kind === "archive" ? `the archive of ${audited.gateway}` : `${audited.stream} of ${audited.patient}`;

const identifierOf = (audited: Audited): object =>
  audited.kind === "archive"
    ? account(audited, audited.gateway)
    : { system: URI, value: `urn:medseal:consent:${consentId(audited.consent)}` };

const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** The same for the same resource, in the form of RFC 9562, version 8. */
function uuidOf(text: string): string {
  const bytes = sha256(utf8(text)).slice(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
