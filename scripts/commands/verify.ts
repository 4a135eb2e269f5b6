import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import { reachOf, type Audited } from "../../src/auditor/audited.ts";
import { worstFirst } from "../../src/auditor/severity.ts";
import { proveEntry, verifyEntry } from "../../src/archive/proof.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { audit, gatewayOf, lookedAt } from "../cli/audits.ts";
import type { Call, Command } from "../cli/command.ts";
import { archiveOf, withChain, withStore } from "../cli/chain.ts";
import { WINDOW } from "../cli/reader.ts";
import { count } from "../cli/times.ts";
import { verifyProof } from "../cli/verify-proof.ts";

export const command: Command = {
  summary:
    "Verifies what was anchored. With --gateway it needs no key: nothing was altered or removed since. With --stream it takes the keys that were released to you: headers in order, leave to write, readings as signed. With --proof a file that medseal prove made. Exit 1 with findings, 4 when chain or store do not answer",
  options: {
    gateway: { type: "string", value: "NAME|ADDRESS", help: "whose whole archive: an address, or a contact of yours" },
    batch: {
      type: "string",
      value: "TAG",
      help: "with --gateway: one batch, by the tag that medseal read --format ndjson shows",
    },
    ...WINDOW,
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
    ["verify --stream heart-rate --as auditor", "all that was granted"],
    ["verify --stream heart-rate --from 2026-03-01T08:03:00Z --to 2026-03-01T08:03:01Z", "the epoch of one reading"],
    ["verify --proof proof.json", "against the chain; needs no identity and no store"],
    [
      "verify --proof proof.json --block-header block.json",
      "without a chain: against a block as a node or an explorer shows it",
    ],
  ],
  async run(call) {
    const subjects = ["gateway", "stream", "proof"].filter((name) => call.text(name) !== undefined);
    if (subjects.length !== 1)
      throw new UsageError("one of --gateway, --stream and --proof says what to verify", { hint: "see --help" });
    if (call.text("proof") !== undefined) return verifyProof(call);
    if (call.text("gateway") !== undefined && call.text("batch") !== undefined) return batch(call);
    const audited = await audit(call);
    const { ok, findings } = audited.report;
    call.io.result(
      audited.report,
      `${lookedAt(audited)}: ${ok ? `${reachOf(audited).shows}${openEnd(audited)}` : count(findings.length, "finding")}`,
      ...worstFirst(findings).map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
    );
    if (!ok) process.exitCode = EXIT.refused;
  },
};

function openEnd(audited: Audited): string {
  if (audited.kind !== "window") return "";
  const { late, unfinished } = audited.report;
  const came = late > 0 ? `; ${count(late, "batch", "batches")} came late, and ${late === 1 ? "says" : "say"} so` : "";
  return unfinished > 0 ? `${came}; the newest epoch is not declared complete yet` : came;
}

async function batch(call: Call): Promise<void> {
  const { gateway } = await gatewayOf(call);
  const tag = call.need("batch");
  if (!/^[0-9a-f]{64}$/.test(tag)) throw new UsageError("--batch is not the 64 hexadecimal digits of a tag");
  await withChain((chain) =>
    withStore(async (blocks) => {
      const found = (await archiveOf(chain, blocks, gateway)).find(fromHex(tag));
      if (!found) throw new UsageError("the gateway has anchored no batch under this tag");
      const { entry, anchored } = found;
      const anchors = verifyEntry(proveEntry(found), anchored.root);
      for (const digest of [entry.header, entry.batch]) await blocks.get(digest);
      const where = { checkpoint: anchored.index, transaction: anchored.transaction, block: anchored.block };
      call.io.result(
        {
          ok: anchors,
          tag,
          header: cidOf(entry.header),
          batch: cidOf(entry.batch),
          root: hex(anchored.root),
          ...where,
        },
        `the batch is in checkpoint ${where.checkpoint}, anchored in block ${where.block} by ${where.transaction}`,
        `  header ${cidOf(entry.header)}, batch ${cidOf(entry.batch)}: both as anchored`,
      );
      if (!anchors) process.exitCode = EXIT.refused;
    }),
  );
}
