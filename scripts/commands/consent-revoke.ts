import { signRevoke } from "../../src/consent/sign.ts";
import { formatSigned } from "../../src/consent/signed.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { asPatient, consentOf } from "../cli/patient.ts";
import { shownWindow } from "../cli/times.ts";
import { afterwards } from "../cli/afterwards.ts";

export const command: Command = {
  summary: "Ends a consent: signs the revocation for anybody to relay, and closes what comes to whoever had it",
  options: {
    to: { type: "string", value: "NAME", help: "whose newest one" },
    id: { type: "string", value: "HEX", help: "the first digits of its id" },
    out: { type: "string", value: "FILE", help: "where the signed revocation goes", required: true },
    yes: { type: "boolean", help: "without asking" },
  },
  examples: [
    [
      'consent revoke --to "Dr Lee" --out lee.end',
      "then relay it, and give it to the gateway: medseal gateway heed lee.end",
    ],
  ],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient, chain, wallet } = as;
      const record = consentOf(session.vault, { to: call.text("to"), id: call.text("id") });
      const { consent, name, id } = record;
      const out = call.need("out");
      await checkNew(out);
      const reads = (consent.actions & ACTIONS.READ) !== 0;
      call.io.note(
        reads
          ? `What was recorded before and lies in ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })} stays readable to ${name}, if its keys were released. What comes later does not open for them.`
          : `${name} may no more do what this consent said.`,
      );
      await call.io.confirm(`End the consent of ${name}?`);
      const signed = await signRevoke(wallet.signer(record.relationship), chain.registry, consent);
      patient.markRevoked(id);
      const next = await afterwards(as, [record]);
      await session.save();
      await writeNew(out, formatSigned(signed));
      call.io.result(
        { id, file: out, ...next.due },
        `Ended. The revocation is in ${out}: have it relayed (medseal relay ${out}).`,
        ...next.lines,
      );
    }),
};
