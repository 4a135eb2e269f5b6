import { now } from "../../src/bytes/random.ts";
import { signRevokeAll } from "../../src/consent/sign.ts";
import { formatSigned, type SignedMessage } from "../../src/consent/signed.ts";
import { afterwards } from "../cli/afterwards.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { asPatient } from "../cli/patient.ts";
import { count } from "../cli/times.ts";
import { endedOnChain } from "./consent-list.ts";

export const command: Command = {
  summary:
    "Ends everything you have allowed anybody, gateways too: one signed message for each consent that the chain does not show as ended",
  options: {
    out: { type: "string", value: "NAME", help: "the files are NAME-1, NAME-2, …", required: true },
    yes: { type: "boolean", help: "without asking" },
  },
  examples: [["consent revoke-all --out end", "then relay all of them: medseal relay end-*"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient, chain, wallet } = as;
      const records = session.vault.patient.consents.filter(
        (record) => record.consent.periodEnd > now() && !endedOnChain(as, record),
      );
      if (records.length === 0) return call.io.result({ files: [] }, "There is nothing to end.");
      const files = records.map((_, i) => `${call.need("out")}-${i + 1}`);
      for (const file of files) await checkNew(file);
      await call.io.confirm(`End ${count(records.length, "consent")}, all that there are?`);
      // The files first: each can be given again, while one that is noted as ended and has none would be forgotten.
      for (const [i, { relationship, consent }] of records.entries()) {
        const signed: SignedMessage = await signRevokeAll(wallet.signer(relationship), chain.registry, consent.grantor);
        await writeNew(files[i] as string, formatSigned(signed));
      }
      for (const { id } of records) patient.markRevoked(id);
      const next = await afterwards(as, records);
      await session.save();
      call.io.result(
        { files, ...next.due },
        `Ended. Have them relayed, and give them to your gateways (medseal gateway heed): ${files.join(", ")}.`,
        ...next.lines,
      );
    }),
};
