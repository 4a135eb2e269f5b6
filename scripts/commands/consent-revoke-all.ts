import { signRevokeAll } from "../../src/consent/sign.ts";
import { formatSigned } from "../../src/consent/signed.ts";
import { now } from "../../src/bytes/random.ts";
import { afterwards } from "../cli/afterwards.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { asPatient } from "../cli/patient.ts";

export const command: Command = {
  summary: "Ends everything you have allowed anybody, gateways too: one signed message for each relationship",
  options: {
    out: { type: "string", value: "NAME", help: "the files are NAME-1, NAME-2, …", required: true },
    yes: { type: "boolean", help: "without asking" },
  },
  examples: [["consent revoke-all --out end", "then relay all of them: medseal relay end-*"]],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient, chain, wallet } = as;
      const records = session.vault.patient.consents.filter(
        ({ revoked, consent }) => !revoked && consent.periodEnd > now(),
      );
      const files = records.map((_, i) => `${call.need("out")}-${i + 1}`);
      for (const file of files) await checkNew(file);
      await call.io.confirm(`End all ${records.length} consents?`);
      const signed = await Promise.all(
        records.map(({ relationship, consent }) =>
          signRevokeAll(wallet.signer(relationship), chain.registry, consent.grantor),
        ),
      );
      for (const { id } of records) patient.markRevoked(id);
      const next = await afterwards(as, records);
      await session.save();
      for (const [i, message] of signed.entries()) await writeNew(files[i] as string, formatSigned(message));
      call.io.result({ files, ...next.due }, `Ended. Have ${files.join(", ")} relayed.`, ...next.lines);
    }),
};
