import type { Command } from "../cli/command.ts";
import { intoNewFile } from "../cli/files.ts";
import { inForceOf } from "../cli/leases.ts";
import { writeMail } from "../cli/mail.ts";
import { asPatient, namesOf } from "../cli/patient.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Makes a gateway's leases, one for each consent under which it writes: its keys, and whose end it is to heed. Due after authorizing it, before a release to somebody new, and after a revocation",
  options: {
    to: { type: "string", value: "NAME", help: "the gateway", required: true },
    id: { type: "string", value: "HEX", help: "of one consent only: the first digits of its id" },
    out: { type: "string", value: "FILE", help: "where the sealed leases go", required: true },
  },
  examples: [['gateway lease --to "Ward gateway" --out gw.lease', "a file for the gateway alone"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient } = as;
      const records = await inForceOf(as, { to: call.need("to"), id: call.text("id") }, "write");
      const out = call.need("out");
      await intoNewFile(out, async (fill) => {
        const envelopes: Uint8Array[] = [];
        for (const { id } of records) envelopes.push((await patient.lease(id, session.vault.name)).envelope);
        await fill(writeMail(envelopes, records[0]!.recipient.viewKey));
        await session.save();
      });
      const streams = [...new Set(records.flatMap((record) => namesOf(session.vault, record)))];
      call.io.result(
        { file: out, consents: records.map(({ id }) => id), streams },
        `${count(records.length, "lease")} over ${streams.join(", ")} in ${out}, sealed to ${records[0]!.name}. The gateway gives back a receipt: medseal gateway confirm`,
      );
    }),
};
