import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { asPatient, consentOf } from "../cli/patient.ts";

export const command: Command = {
  summary:
    "Makes a gateway's lease: its keys, and whose end it is to heed. Due after authorizing it, before a release to somebody new, and after a revocation",
  options: {
    to: { type: "string", value: "NAME", help: "the gateway", required: true },
    out: { type: "string", value: "FILE", help: "where the sealed lease goes", required: true },
  },
  examples: [['gateway lease --to "Ward gateway" --out gw.lease', "a file for the gateway alone"]],
  run: (call) =>
    asPatient(call, async ({ session, patient }) => {
      await checkNew(call.need("out"));
      const { id, name } = consentOf(session.vault, { to: call.need("to") });
      const { envelope } = await patient.lease(id, session.vault.name);
      await session.save();
      await writeNew(call.need("out"), envelope);
      call.io.result(
        { file: call.need("out"), consent: id },
        `The lease is in ${call.need("out")}, sealed to ${name}. The gateway gives back a receipt: medseal gateway confirm`,
      );
    }),
};
