import { EXIT } from "../../src/errors.ts";
import { decodeBundle } from "../../src/evidence/format.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { LARGEST } from "../../src/evidence/zip.ts";
import { trustedHash } from "../cli/block-hash.ts";
import type { Command } from "../cli/command.ts";
import { evidenceLines, trustedCode } from "../cli/evidence.ts";
import { readUserFile } from "../cli/files.ts";

export const command: Command = {
  summary:
    "Verifies a file that medseal evidence export made. Needs no identity, chain or store. Exit 1 when something is wrong or missing",
  words: "FILE",
  options: {
    "block-header": {
      type: "string",
      value: "FILE|HASH",
      help: "the block that it must rest on: its hash, or a file with hash, header or block; compare the hash yourself without it",
    },
  },
  examples: [
    ["evidence verify case.zip", "and compare the hash of the block with a source that you trust"],
    ["evidence verify case.zip --block-header block.json", "against a block as a node or an explorer shows it"],
  ],
  async run(call) {
    const bundle = decodeBundle(await readUserFile(call.word("file"), LARGEST));
    const named = call.text("block-header");
    const blockHash = named === undefined ? undefined : await trustedHash(named);
    const report = await verifyEvidence(bundle, { ...(await trustedCode(bundle)), ...(blockHash && { blockHash }) });
    const { hash, number } = report.block;
    call.io.result(
      { ...report, shows: bundle.shows, software: bundle.software, compared: blockHash !== undefined },
      ...evidenceLines(bundle, report),
      ...(blockHash === undefined
        ? [
            `All this rests on block ${number} having the hash ${hash}: compare it, since anybody can make up a block and its state.`,
          ]
        : []),
    );
    if (!report.ok) process.exitCode = EXIT.refused;
  },
};
