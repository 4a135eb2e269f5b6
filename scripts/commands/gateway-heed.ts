import { parseSigned } from "../../src/consent/signed.ts";
import type { Command } from "../cli/command.ts";
import { readUserText } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";

export const command: Command = {
  summary: "As a gateway: takes in a signed revocation before it is on the chain, and moves to the spare at once",
  words: "FILE",
  options: {},
  examples: [["gateway heed lee.end --as ward-gateway", "nothing more is sealed for Dr Lee"]],
  run: (call) =>
    asGateway(call, async ({ view, gateway }) => {
      view.ledger.noteSigned(parseSigned(await readUserText(call.word("revocation"))));
      const retired = await gateway.retireEnded();
      call.io.result(
        { retired },
        retired === 0
          ? "Noted; it ends nothing that this gateway writes."
          : `Noted: ${retired} generations retired, the spares are in use.`,
      );
    }),
};
