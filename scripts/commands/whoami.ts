import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { fingerprintOf } from "../cli/card.ts";
import type { Command } from "../cli/command.ts";
import { withVault } from "../cli/home.ts";
import { ownAddress } from "../cli/patient.ts";

export const command: Command = {
  summary: "Tells which identity acts, with its address and fingerprint",
  options: {},
  examples: [["whoami --as ann", "the identity called Ann"]],
  run: (call) =>
    withVault(call, ({ vault, folder }) => {
      const address = ownAddress(vault);
      const { kem, publicKey } = vault.hpke;
      const recipient = { kem, hpkeKey: publicKey, viewKey: x25519PublicKey(vault.viewSecret) };
      const fingerprint = fingerprintOf({ address, recipient });
      call.io.result(
        { name: vault.name, address, fingerprint, folder },
        vault.name,
        `  address      ${address}`,
        `  fingerprint  ${fingerprint}`,
        `  folder       ${folder}`,
      );
      return Promise.resolve();
    }),
};
