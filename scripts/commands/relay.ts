import { relay } from "../../src/chain/relay.ts";
import { parseSigned } from "../../src/consent/signed.ts";
import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { withChain } from "../cli/chain.ts";
import { readUserText } from "../cli/files.ts";
import { withIdentity } from "../cli/home.ts";
import { walletOf } from "../cli/patient.ts";
import { OWN_ADDRESS } from "../cli/vault.ts";

const WHAT = {
  "medseal-signed-grant": "grant",
  "medseal-signed-revoke": "revocation",
  "medseal-signed-revoke-all": "revocation of all",
} as const;

export const command: Command = {
  summary:
    "Sends signed grants and revocations of others to the chain and pays for it. The effect is the same whoever does it, and however often",
  words: "FILE…",
  options: {},
  examples: [["relay lee.grant --as relayer", "needs ether at the identity's own address"]],
  async run(call) {
    if (call.words.length === 0) throw new UsageError("no file is named", { hint: "see --help" });
    const messages = await Promise.all(
      call.words.map(async (file) => ({ file, message: parseSigned(await readUserText(file)) })),
    );
    await withIdentity(call, ({ vault }) =>
      withChain(async ({ rpc, deployment }) => {
        const signer = walletOf(vault).signer(OWN_ADDRESS, rpc);
        for (const { file, message } of messages) {
          const done = await relay(message, signer, deployment);
          const what = WHAT[message.format];
          call.io.result(
            { file, what, ...done },
            done.status === "mined"
              ? `${file}: ${what} is on the chain, block ${done.block}, ${done.gas.toLocaleString("en")} gas`
              : `${file}: ${what} was on the chain already`,
          );
        }
      }),
    );
  },
};
