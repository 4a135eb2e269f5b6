import type { Command } from "../cli/command.ts";
import { intoNewFile } from "../cli/files.ts";
import { inForceOf } from "../cli/leases.ts";
import { writeMail } from "../cli/mail.ts";
import { asPatient, theOne } from "../cli/patient.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary: "Releases keys to somebody: only once their consent is final and the gateways heed its end",
  options: {
    to: { type: "string", value: "NAME", help: "whose consent it is", required: true },
    id: { type: "string", value: "HEX", help: "the first digits of its id, where they have several" },
    out: { type: "string", value: "FILE", help: "where the sealed mail goes", required: true },
  },
  examples: [['release --to "Dr Lee" --out lee.mail', "a file that the gateway posts, or that you hand over"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient } = as;
      const { vault } = session;
      const record = theOne(vault, await inForceOf(as, { to: call.need("to"), id: call.text("id") }, "read"));
      const out = call.need("out");
      const sealed = await intoNewFile(out, async (fill) => {
        const envelopes = await patient.release(record.id, vault.name);
        await fill(writeMail(envelopes, record.recipient.viewKey));
        await session.save();
        return envelopes.length;
      });
      call.io.result(
        { file: out, envelopes: sealed },
        `${count(sealed, "sealed envelope")} for ${record.name} in ${out}: hand it over, or have a gateway post it`,
      );
    }),
};
