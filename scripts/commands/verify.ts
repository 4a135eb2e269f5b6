import { hex } from "../../src/bytes/bytes.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { reachOf, type Audited } from "../../src/auditor/audited.ts";
import { verifyBatchOf } from "../../src/auditor/batch.ts";
import type { Finding } from "../../src/auditor/findings.ts";
import { worstFirst } from "../../src/auditor/severity.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { audit, auditPatient, auditReading, DEVICES, gatewayOf, lookedAt, tagOf } from "../cli/audits.ts";
import { flagLines, PLAUSIBLE } from "../cli/flags.ts";
import type { Call, Command } from "../cli/command.ts";
import { AGAINST } from "../cli/history.ts";
import { archiveOf, withBlocks, withChain } from "../cli/chain.ts";
import { WINDOW } from "../cli/reader.ts";
import { count } from "../cli/times.ts";
import { VERIFYING } from "../cli/verifier.ts";
import { verifyProof } from "../cli/verify-proof.ts";

export const command: Command = {
  summary:
    "Verifies what was anchored. With --gateway it needs no key: nothing was altered or removed since. With --stream or --patient it takes the keys that were released to you: headers in order, leave to write, readings as signed. With --proof a file that medseal prove made. Exit 1 with findings, 4 when chain or store do not answer. An interrupted run goes on where it stopped",
  options: {
    gateway: {
      type: "string",
      value: "NAME|ADDRESS",
      help: "whose whole archive: an address, or a contact of yours; with --from and --to what was anchored then",
    },
    batch: { type: "string", value: "TAG", help: "one batch, by the tag that medseal read --format ndjson shows" },
    ...WINDOW,
    at: { type: "string", value: "INSTANT", help: "with --stream: one reading, by its time as medseal read shows it" },
    code: { type: "string", value: "CODE", help: "with --at: of several readings of one time, that of this code" },
    ...AGAINST,
    ...DEVICES,
    ...PLAUSIBLE,
    ...VERIFYING,
    proof: { type: "string", value: "FILE", help: "a proof of one reading or one header, against the chain" },
    "block-header": {
      type: "string",
      value: "FILE|HASH",
      help: "with --proof: without a chain, against this block; its hash, or a file with hash, header or block",
    },
  },
  examples: [
    ["verify --gateway 0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "needs no identity"],
    ['verify --gateway "Ward gateway" --as auditor', "by the name of a contact"],
    ['verify --gateway "Ward gateway" --against other.json --as auditor', "were both shown the same?"],
    ["verify --patient Ann --as auditor", "all streams of one patient, all that was granted"],
    ["verify --stream heart-rate --as auditor", "one stream, all that was granted"],
    ["verify --stream heart-rate --from 2026-03-01T08:00:00Z --to 2026-03-01T09:00:00Z", "one window"],
    ["verify --stream heart-rate --at 2026-03-01T08:03:00Z", "one reading"],
    ["verify --proof proof.json", "against the chain; needs no identity and no store"],
    [
      "verify --proof proof.json --block-header block.json",
      "without a chain: against a block as a node or an explorer shows it",
    ],
  ],
  async run(call) {
    const subjects = ["gateway", "stream", "proof"].filter((name) => call.text(name) !== undefined);
    const isPatient = subjects.length === 0 && call.text("patient") !== undefined;
    if (subjects.length !== 1 && !isPatient)
      throw new UsageError("one of --gateway, --patient, --stream and --proof says what to verify", {
        hint: "see --help",
      });
    if (call.text("against") !== undefined && (call.text("gateway") === undefined || call.text("batch") !== undefined))
      throw new UsageError("--against goes with --gateway, and without --batch");
    if (call.flag("plausible") && (call.text("at") !== undefined || (call.text("stream") === undefined && !isPatient)))
      throw new UsageError("--plausible goes with --stream or --patient, and without --at");
    if (isPatient) return patient(call);
    if (call.text("proof") !== undefined) return verifyProof(call);
    if (call.text("gateway") !== undefined && call.text("batch") !== undefined) return batch(call);
    if (call.text("at") !== undefined) return reading(call);
    const audited = await audit(call);
    const { findings, ...report } = audited.report;
    answer(
      call,
      findings,
      { ...report, ...flagged(audited), resumed: audited.resumed ?? 0, findings },
      ...linesOf(audited),
    );
  },
};

/** What is no finding, and still not the whole. */
function openEnd(audited: Audited): string {
  if (audited.kind !== "window") return "";
  const { late, unfinished, erased } = audited.report;
  return [
    late > 0 ? `; ${count(late, "batch", "batches")} came late, and ${late === 1 ? "says" : "say"} so` : "",
    erased > 0 ? `; ${count(erased, "block")} gone that the gateway itself declares erased` : "",
    unfinished > 0 ? "; the newest epoch is not declared complete yet" : "",
  ].join("");
}

/** Prints, worst first, and ends with 1 when something was found. */
function answer(call: Call, findings: readonly Finding[], report: object, ...lines: readonly string[]): void {
  call.io.result(report, ...lines, ...worstFirst(findings).map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`));
  if (findings.length > 0) process.exitCode = EXIT.refused;
}

function linesOf(audited: Audited): string[] {
  const { ok, findings } = audited.report;
  const { resumed = 0 } = audited;
  return [
    `${lookedAt(audited)}: ${ok ? `${reachOf(audited).shows}${openEnd(audited)}` : count(findings.length, "finding")}`,
    ...(audited.kind === "archive" && audited.compared !== undefined && !findings.some(({ kind }) => kind === "forked")
      ? [`  the first ${count(audited.compared, "checkpoint")} are the same in the other history`]
      : []),
    ...flagLines(audited),
    ...(resumed > 0 ? [`  ${resumed.toLocaleString("en")} of them were checked before the interruption`] : []),
  ];
}

const flagged = (audited: Audited): object =>
  audited.kind === "window" && audited.flags ? { flags: audited.flags } : {};

async function patient(call: Call): Promise<void> {
  if (call.text("batch") !== undefined || call.text("at") !== undefined)
    throw new UsageError("--stream says which stream the batch or the reading is of");
  const all = await auditPatient(call);
  const findings = all.flatMap((audited) => {
    const of = audited.kind === "window" ? `${audited.stream}: ` : "";
    return audited.report.findings.map((finding) => ({ ...finding, text: `${of}${finding.text}` }));
  });
  const streams = all.flatMap((audited) =>
    audited.kind === "window"
      ? [
          {
            ...{ stream: audited.stream, depth: audited.depth, resumed: audited.resumed ?? 0 },
            ...flagged(audited),
            ...audited.report,
          },
        ]
      : [],
  );
  answer(call, findings, { ok: findings.length === 0, streams }, ...all.flatMap(linesOf));
}

async function reading(call: Call): Promise<void> {
  const { report, depth } = await auditReading(call);
  const { ok, findings } = report;
  const places = report.places.map(({ code, leaf, opened: { header, found } }) => {
    const { entry, anchored } = found;
    const signed = header.chunks.length;
    return { code, leaf, signed, ...blocksOf(entry), checkpoint: anchored.index, block: anchored.block };
  });
  const shows =
    depth === "read"
      ? "as signed and anchored, with leave"
      : "the headers of its time hold, and their batches are as anchored";
  answer(
    call,
    findings,
    { ok, depth, places, findings },
    `${call.need("at")}: ${ok ? shows : count(findings.length, "finding")}`,
    ...places.map(({ code, leaf, header, checkpoint, block }) =>
      leaf
        ? `  ${code}: leaf ${leaf.index + 1} of ${leaf.count}, header ${header}, checkpoint ${checkpoint}, block ${block}`
        : `  header ${header}, checkpoint ${checkpoint}, block ${block}`,
    ),
  );
}

const blocksOf = ({ header, batch: of }: { header: Uint8Array; batch: Uint8Array }) => ({
  header: cidOf(header),
  batch: cidOf(of),
});

async function batch(call: Call): Promise<void> {
  const { gateway } = await gatewayOf(call);
  const tag = tagOf(call) as string;
  await withChain((chain) =>
    withBlocks(call.text("blocks"), async (blocks) => {
      const archive = await archiveOf(chain, blocks, gateway);
      const { found, findings, erased } = await verifyBatchOf(archive, tag, (digest) => blocks.get(digest));
      const { entry, anchored } = found;
      const where = { checkpoint: anchored.index, transaction: anchored.transaction, block: anchored.block };
      const named = blocksOf(entry);
      answer(
        call,
        findings,
        { ok: findings.length === 0, tag, ...named, root: hex(anchored.root), ...where, erased, findings },
        `the batch is in checkpoint ${where.checkpoint}, anchored in block ${where.block} by ${where.transaction}`,
        `  header ${named.header}, batch ${named.batch}: ${shown(findings, erased)}`,
      );
    }),
  );
}

function shown(findings: readonly Finding[], erased: number): string {
  if (findings.length > 0) return count(findings.length, "finding");
  return erased > 0 ? `${count(erased, "block")} declared erased` : "both as anchored";
}
