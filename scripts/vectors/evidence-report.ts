import { hex, utf8 } from "../../src/bytes/bytes.ts";
import type { Finding } from "../../src/auditor/findings.ts";
import type { TrustedChain } from "../../src/evidence/chain.ts";
import { decodeBundle } from "../../src/evidence/format.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { writeZip } from "../../src/evidence/zip.ts";
import { digestOf } from "../../src/ipfs/cid.ts";

/** A bundle as it stands in a case: its manifest, and its blocks by CID. */
export interface BundleInputs extends TrustedChain {
  readonly manifest: string;
  readonly blocks: Readonly<Record<string, Uint8Array>>;
}

/** What the report of a bundle says in the words of docs/formats.md, section 24. @throws as `decodeBundle`, `verifyEvidence`. */
export async function readBundle({ manifest, blocks, ...trusted }: BundleInputs): Promise<object> {
  const files = new Map([["evidence.json", utf8(manifest)]]);
  for (const [cid, block] of Object.entries(blocks).sort(([a], [b]) => (a < b ? -1 : 1)))
    files.set(`blocks/${cid}`, block);
  const report = await verifyEvidence(decodeBundle(writeZip(files)), trusted);
  const { ok, headers, batches, readings, checkpoints, unfinished, unshown, unrecorded } = report;
  return {
    ...{ ok, headers, batches, readings, checkpoints, unfinished, unshown, unrecorded },
    findings: [...new Set(report.findings.map(classed))].sort(),
    missing: report.missing.length,
    consents: report.consents.map(({ id, inForce }) => ({ id, inForce })),
  };
}

const CLASSES: Partial<Record<Finding["kind"], string>> = {
  altered: "altered",
  truncated: "altered",
  swapped: "altered",
  malformed: "checkpoint",
  mismatch: "checkpoint",
  invalid: "refused",
  "not-a-leave": "leave",
  "outside-window": "leave",
  "anchored-before-leave": "leave",
  "after-leave-ended": "leave",
  "anchored-late": "leave",
};

const classed = ({ kind, cid }: Finding): string => `${CLASSES[kind] ?? "order"} ${hex(digestOf(cid))}`;
