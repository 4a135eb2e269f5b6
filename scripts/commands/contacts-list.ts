import { fingerprintOf } from "../cli/card.ts";
import type { Command } from "../cli/command.ts";
import { withVault } from "../cli/home.ts";

export const command: Command = {
  summary: "Lists whom you know",
  options: {},
  examples: [["contacts list", "names, addresses, fingerprints"]],
  run: (call) =>
    withVault(call, ({ vault }) => {
      const contacts = vault.contacts.map((one) => ({
        name: one.name,
        address: one.address,
        fingerprint: fingerprintOf(one),
      }));
      const lines = contacts.flatMap(({ name, address, fingerprint }) => [name, `  ${address}`, `  ${fingerprint}`]);
      call.io.result({ contacts }, ...(lines.length > 0 ? lines : ["You know nobody yet: medseal contacts add FILE"]));
      return Promise.resolve();
    }),
};
