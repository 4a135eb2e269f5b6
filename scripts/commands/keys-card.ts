import { cardOf } from "../cli/card.ts";
import type { Command } from "../cli/command.ts";
import { writeNew } from "../cli/files.ts";
import { withVault } from "../cli/home.ts";
import { walletOf } from "../cli/patient.ts";
import { OWN_ADDRESS } from "../cli/vault.ts";

export const command: Command = {
  summary: "Writes your contact card: name, address and public keys, signed. It holds no secret",
  options: { out: { type: "string", value: "FILE", help: "where to write it; stdout without it" } },
  examples: [["keys card --out ann.card", "a file to send to whoever is to know you"]],
  run: (call) =>
    withVault(call, async ({ vault }) => {
      const card = await cardOf(vault, walletOf(vault).signer(OWN_ADDRESS));
      const out = call.text("out");
      if (out === undefined) return call.io.line(call.io.json ? JSON.stringify(JSON.parse(card)) : card.trimEnd());
      await writeNew(out, card);
      call.io.result({ file: out }, `${vault.name}'s card is in ${out}; anybody may see it.`);
    }),
};
