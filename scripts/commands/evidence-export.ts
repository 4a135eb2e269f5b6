import { readFile } from "node:fs/promises";
import { decodeBundle, encodeBundle } from "../../src/evidence/format.ts";
import { exportEvidence, type NotFinal } from "../../src/evidence/export.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import type { Command } from "../cli/command.ts";
import { evidenceLines, trustedCode } from "../cli/evidence.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { WINDOW, withWindow } from "../cli/reader.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Puts a window and all that shows it into one file: checkpoints, blocks, consents, the chain's state, and keys that open these headers and batches and nothing else",
  options: {
    ...WINDOW,
    stream: { type: "string", value: "NAME", help: "as the patient calls it", required: true },
    headers: { type: "boolean", help: "show the headers only, no readings" },
    "ask-node": {
      type: "boolean",
      help: "have the node prove the state of the consents: it learns which matter. For nodes that keep storage in another way, such as that of medseal up",
    },
    wait: {
      type: "boolean",
      help: "until all that is anchored of the window is final; without it the rest is left out",
    },
    out: { type: "string", value: "FILE", help: "where to", required: true },
  },
  examples: [
    ["evidence export --stream heart-rate --wait --out case.zip", "all that was granted"],
    [
      "evidence export --stream heart-rate --from 2026-03-01T08:02:00Z --to 2026-03-01T08:03:00Z --headers --out case.zip",
      "the headers of a minute, without readings",
    ],
  ],
  async run(call) {
    const out = call.need("out");
    await checkNew(out);
    const options = {
      software: await software(),
      shows: call.flag("headers") ? "headers" : "readings",
      askNode: call.flag("ask-node"),
    } as const;
    const { bundle, unproven, notFinal } = await withWindow(
      call,
      ({ access, request, deps, chain: { rpc, deployment, historyOf }, ledger }, whole) =>
        exportEvidence(access, request, { ...deps, rpc, deployment, ledger, historyOf }, { ...options, whole }),
    );
    const bytes = encodeBundle(bundle);
    // What goes out is what was checked.
    const report = await verifyEvidence(decodeBundle(bytes), await trustedCode(bundle));
    await writeNew(out, bytes);
    if (notFinal.batches > 0) call.io.note(leftOut(notFinal), "hint: add --wait");
    if (unproven) call.io.note(`The state of the consents is left out: ${unproven.message}. --ask-node may help.`);
    call.io.note("Whoever has the file sees what it shows. It opens nothing else.");
    call.io.result(
      { out, bytes: bytes.length, shows: bundle.shows, notFinal, ...report },
      `${out}: ${bytes.length.toLocaleString("en")} bytes`,
      ...evidenceLines(bundle, report),
    );
  },
};

const leftOut = ({ batches, epochs, checkpoints }: NotFinal): string =>
  `LEFT OUT, since not final yet: ${count(batches, "batch", "batches")} of ${count(epochs, "epoch")}, anchored with ${count(checkpoints, "checkpoint")}.`;

async function software(): Promise<string> {
  const file = new URL("../../package.json", import.meta.url);
  const { name, version } = JSON.parse(await readFile(file, "utf8")) as { name: string; version: string };
  return `${name} ${version}`;
}
