import { parseSigned } from "../../src/consent/signed.ts";
import type { Command } from "../cli/command.ts";
import { readUserText } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: takes in a signed revocation before it is on the chain, and moves to the spare at once",
  words: "FILE",
  options: {},
  examples: [["gateway heed lee.end --as ward-gateway", "nothing more is sealed for Dr Lee"]],
  run: (call) =>
    asGateway(call, async ({ view, gateway }) => {
      view.ledger.noteSigned(parseSigned(await readUserText(call.word("revocation"))));
      const before = gateway.streams().length;
      const retired = await gateway.retireEnded();
      const over = before - gateway.streams().length;
      const left = retired > 0 ? `${count(retired, "generation")} retired, the spares are in use.` : "";
      const ended = over > 0 ? `The leave to write ${count(over, "stream")} is over.` : "";
      const text = [left, ended].filter(Boolean).join(" ") || "It ends nothing that this gateway writes.";
      call.io.result({ retired, over }, `Noted. ${text}`);
    }),
};
