import { getAddress } from "ethers";
import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { EXIT, UsageError } from "../../src/errors.ts";
import type { Finding } from "../../src/auditor/findings.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import { proveEntry, verifyEntry } from "../../src/archive/proof.ts";
import { isAddress, type Hex } from "../../src/consent/consent.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import type { Call, Command } from "../cli/command.ts";
import { archiveOf, withChain, withStore } from "../cli/chain.ts";
import { withVault } from "../cli/home.ts";
import { contactNamed } from "../cli/patient.ts";
import { WINDOW, withWindow } from "../cli/reader.ts";
import { verifyProof } from "../cli/verify-proof.ts";
import { count, shownWindow } from "../cli/times.ts";

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
    if (call.text("stream") !== undefined) return window(call);
    return call.text("batch") === undefined ? archive(call) : batch(call);
  },
};

async function archive(call: Call): Promise<void> {
  const gateway = await addressOf(call);
  const report = await withChain((chain) =>
    withStore(async (blocks) =>
      verifyArchive(chain.placeOf(gateway), await chain.historyOf(gateway), (digest) => blocks.get(digest), {
        progress: (objects) => call.io.progress(`${objects.toLocaleString("en")} blocks`),
      }),
    ),
  );
  call.io.progressDone();
  const { checkpoints, objects, erased } = report;
  const what = `${count(checkpoints, "checkpoint")} and ${count(objects, "block")} of ${gateway}${erased > 0 ? `, ${erased} declared erased` : ""}`;
  tell(call, report, what, "nothing that was anchored was altered or removed");
}

async function batch(call: Call): Promise<void> {
  const gateway = await addressOf(call);
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

const window = (call: Call): Promise<void> =>
  withWindow(call, async ({ access, descriptor, request, deps }) => {
    const report = await verifyWindow(access, request, deps);
    const { headers, batches, readings, unfinished } = report;
    const what = `${descriptor.name}, ${shownWindow(request)}: ${count(headers, "header")}, ${count(batches, "batch", "batches")} with ${count(readings, "reading")}`;
    const open = unfinished > 0 ? "; the newest epoch is not declared complete yet" : "";
    tell(call, report, what, `in order, with leave, as signed and anchored${open}`);
  });

function tell(call: Call, report: { ok: boolean; findings: readonly Finding[] }, what: string, well: string): void {
  const { ok, findings } = report;
  call.io.result(
    report,
    `${what}: ${ok ? well : count(findings.length, "finding")}`,
    ...findings.map(({ kind, text }) => `${kind.toUpperCase()}: ${text}`),
  );
  if (!ok) process.exitCode = EXIT.refused;
}

async function addressOf(call: Call): Promise<Hex> {
  const named = call.need("gateway");
  if (!named.startsWith("0x"))
    return withVault(call, ({ vault }) => Promise.resolve(contactNamed(vault, named).address));
  try {
    const address = getAddress(named);
    if (isAddress(address)) return address;
  } catch {
    // Said below.
  }
  throw new UsageError("--gateway is no address, or its checksum is wrong");
}
