import { UsageError } from "../../src/errors.ts";
import { ACTION_NAMES, type ActionName } from "../../src/consent/actions.ts";
import type { Call, Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { asPatient, ownAddress, type AsPatient } from "../cli/patient.ts";
import { openRequest } from "../cli/request.ts";
import { signAndKeep, TERMS, termsOf, type Asked } from "../cli/terms.ts";
import { shown, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "Lets somebody read (or only audit) data of yours: shows what it says in plain words, asks, and signs it",
  options: {
    ...TERMS,
    request: { type: "string", value: "FILE", help: "answers what was asked for; --stream, --data, --until narrow it" },
    action: {
      type: "string",
      value: "ACTION",
      help: "READ (the default), AUDIT, SHARE, DELEGATE; may come more than once",
      multiple: true,
    },
  },
  examples: [
    [
      'consent grant --to "Dr Lee" --stream heart-rate --data last-30d --until 2027-03-01 --purpose TREAT --round --out lee.grant',
      "a month of heart rate",
    ],
    [
      'consent grant --to "Auditor" --action AUDIT --data last-90d --until 30d --round --out audit.grant',
      "to check, not to read",
    ],
    ["consent grant --request ann.request --data last-7d --round --out lee.grant", "less than was asked for"],
  ],
  run: (call) =>
    asPatient(call, async (as) => {
      const actions = call.texts("action").length > 0 ? call.texts("action") : ["READ"];
      for (const action of actions) {
        if (!(ACTION_NAMES as readonly string[]).includes(action) || action === "WRITE")
          throw new UsageError(`"${action}" is no action to grant here`, {
            hint: "READ, AUDIT, SHARE, DELEGATE; a gateway gets medseal gateway authorize",
          });
      }
      const asked = call.text("request") === undefined ? undefined : await askedFor(call, as);
      const record = as.patient.draft({ ...termsOf(call, as, asked), actions: actions as ActionName[] });
      await signAndKeep(call, as, record);
    }),
};

async function askedFor(call: Call, { session: { vault } }: AsPatient): Promise<Asked> {
  if (call.text("to") !== undefined) throw new UsageError("a request says itself who asks", { hint: "leave out --to" });
  const { request, signer } = await openRequest(
    await readUserFile(call.need("request")),
    vault.hpke,
    ownAddress(vault),
  );
  const to = vault.contacts.find(({ address }) => address === signer);
  if (!to)
    throw new UsageError("whoever asks is no contact of yours", {
      hint: "add their card first: medseal contacts add FILE",
    });
  const { streams, dataStart, dataEnd, periodEnd, purpose, reason } = request;
  call.io.note(
    `${to.name} asks for ${streams.join(", ")}, ${shownWindow({ from: dataStart, to: dataEnd })}, for ${purpose} until ${shown(periodEnd)}.`,
  );
  if (reason !== "") call.io.note(`  They say: ${JSON.stringify(reason)}`);
  return { to, streams, dataStart, dataEnd, periodEnd, purpose };
}
