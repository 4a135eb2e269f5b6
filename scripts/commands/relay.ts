import { relay } from "../../src/chain/relay.ts";
import { parseSigned } from "../../src/consent/signed.ts";
import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { untilFinal, withChain } from "../cli/chain.ts";
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
  options: { wait: { type: "boolean", help: "until it is final: only then does it count as begun" } },
  examples: [
    ["relay lee.grant --as relayer", "needs ether at the identity's own address"],
    ["relay lee.grant --wait --as relayer", "then releases may go out at once"],
  ],
  async run(call) {
    if (call.words.length === 0) throw new UsageError("no file is named", { hint: "see --help" });
    const messages = await Promise.all(
      call.words.map(async (file) => ({ file, message: parseSigned(await readUserText(file)) })),
    );
    await withIdentity(call, ({ vault }) =>
      withChain(async ({ rpc, deployment }) => {
        const signer = walletOf(vault).signer(OWN_ADDRESS, rpc);
        let newest = 0;
        for (const { file, message } of messages) {
          const done = await relay(message, signer, deployment);
          const what = WHAT[message.format];
          if (done.status === "mined") newest = Math.max(newest, done.block);
          call.io.result(
            { file, what, ...done },
            done.status === "mined"
              ? `${file}: ${what} is on the chain, block ${done.block}, ${done.gas.toLocaleString("en")} gas`
              : `${file}: ${what} was on the chain already`,
          );
        }
        if (call.flag("wait") && newest > 0) await untilFinal(rpc, newest, call.io);
      }),
    );
  },
};
