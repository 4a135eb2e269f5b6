import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { writeMail } from "../cli/mail.ts";
import { asPatient, consentOf } from "../cli/patient.ts";

export const command: Command = {
  summary: "Releases keys to somebody: only once their consent is final and the gateways heed its end",
  options: {
    to: { type: "string", value: "NAME", help: "whose newest consent it is", required: true },
    id: { type: "string", value: "HEX", help: "the first digits of another consent's id" },
    out: { type: "string", value: "FILE", help: "where the sealed mail goes", required: true },
  },
  examples: [['release --to "Dr Lee" --out lee.mail', "a file that the gateway posts, or that you hand over"]],
  run: (call) =>
    asPatient(call, async ({ session, patient }) => {
      await checkNew(call.need("out"));
      const record = consentOf(session.vault, { to: call.need("to"), id: call.text("id") });
      const envelopes = await patient.release(record.id, session.vault.name);
      await session.save();
      await writeNew(call.need("out"), writeMail(envelopes, record.recipient.viewKey));
      call.io.result(
        { file: call.need("out"), envelopes: envelopes.length },
        `${envelopes.length} sealed ${envelopes.length === 1 ? "envelope" : "envelopes"} for ${record.name} in ${call.need("out")}: hand it over, or have a gateway post it`,
      );
    }),
};
