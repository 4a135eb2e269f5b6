import { ACTIONS } from "../../src/consent/actions.ts";
import { signRevoke } from "../../src/consent/sign.ts";
import { formatSigned } from "../../src/consent/signed.ts";
import { afterwards } from "../cli/afterwards.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, intoNewFile } from "../cli/files.ts";
import { asPatient, consentsOf, namesOf, theOne } from "../cli/patient.ts";
import { shownWindow } from "../cli/times.ts";
import { endedOnChain } from "./consent-list.ts";

export const command: Command = {
  summary: "Ends a consent: signs the revocation for anybody to relay, and closes what comes to whoever had it",
  options: {
    to: { type: "string", value: "NAME", help: "whose; with --id where they have several" },
    id: { type: "string", value: "HEX", help: "the first digits of its id" },
    out: { type: "string", value: "FILE", help: "where the signed revocation goes", required: true },
    yes: { type: "boolean", help: "without asking" },
  },
  examples: [
    ['consent revoke --to "Dr Lee" --out lee.end', "then relay it, and give it to the gateway: medseal gateway heed"],
    ["consent revoke --id 0126e19af8 --out lee.end", "one of several; again, when the file was lost"],
  ],
  run: (call) =>
    asPatient(call, async (as) => {
      const { session, patient, chain, wallet } = as;
      const { vault } = session;
      const out = call.need("out");
      await checkNew(out);
      // What was signed and is not on the chain yet can be signed again.
      const open = consentsOf(vault, { to: call.text("to"), id: call.text("id") }).filter(
        (one) => !endedOnChain(as, one),
      );
      const record = theOne(vault, call.text("id") === undefined ? newOnes(open) : open);
      const { consent, name, id } = record;
      const streams = namesOf(vault, record).join(", ");
      call.io.note(
        (consent.actions & ACTIONS.READ) !== 0
          ? `What was recorded of ${streams} in ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })} before now stays readable to ${name}, if its keys were released. What comes later does not open for them.`
          : `${name} may no more do with ${streams} what this consent said.`,
      );
      await call.io.confirm(`End this consent of ${name}?`);
      const next = await intoNewFile(out, async (fill) => {
        await fill(formatSigned(await signRevoke(wallet.signer(record.relationship), chain.registry, consent)));
        patient.markRevoked(id);
        const due = await afterwards(as, [record]);
        await session.save();
        return due;
      });
      call.io.result(
        { id, file: out, ...next.due },
        `Ended. The revocation is in ${out}: have it relayed (medseal relay ${out}), and give it to the gateway (medseal gateway heed ${out}).`,
        ...next.lines,
      );
    }),
};

/** Those that were not ended by hand; all, when all were. */
function newOnes<T extends { revoked: boolean }>(records: readonly T[]): readonly T[] {
  const live = records.filter(({ revoked }) => !revoked);
  return live.length > 0 ? live : records;
}
