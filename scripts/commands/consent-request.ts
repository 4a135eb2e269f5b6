import { now } from "../../src/bytes/random.ts";
import { UsageError } from "../../src/errors.ts";
import { cardOf } from "../cli/card.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, writeNew } from "../cli/files.ts";
import { withIdentity } from "../cli/home.ts";
import { contactNamed, walletOf } from "../cli/patient.ts";
import { sealRequest } from "../cli/request.ts";
import { endOf, purposeOf } from "../cli/terms.ts";
import { parseWindow, shown, shownWindow } from "../cli/times.ts";
import { OWN_ADDRESS } from "../cli/vault.ts";

export const command: Command = {
  summary:
    "Asks a patient for leave to read: a file sealed to them, which they answer with a consent as asked, a narrower one, or none",
  options: {
    to: { type: "string", value: "NAME", help: "the patient: a contact", required: true },
    stream: { type: "string", value: "NAME", help: "of which data", multiple: true },
    data: { type: "string", value: "WINDOW", help: "from when the data is: last-30d, or FROM..TO", required: true },
    until: { type: "string", value: "TIME", help: "until when you would use it: 2027-03-01, or 90d", required: true },
    purpose: { type: "string", value: "CODE", help: "what for, HL7 purpose of use (default TREAT)" },
    reason: { type: "string", value: "TEXT", help: "in your words, for the patient to read" },
    out: { type: "string", value: "FILE", help: "where the request goes", required: true },
  },
  examples: [
    [
      'consent request --to Ann --stream heart-rate --data last-30d --until 90d --reason "Before your visit" --out ann.request',
      "Ann answers: medseal consent grant --request ann.request",
    ],
  ],
  run: (call) =>
    withIdentity(call, async ({ vault }) => {
      const time = now();
      const to = contactNamed(vault, call.need("to"));
      const { from, to: end } = parseWindow(call.need("data"), time);
      const periodEnd = endOf(call, time);
      const purpose = purposeOf(call);
      const streams = call.texts("stream");
      if (streams.length === 0)
        throw new UsageError("no stream is named", { hint: "add --stream NAME, once for each" });
      const out = call.need("out");
      await checkNew(out);
      const request = {
        patient: to.address,
        streams,
        dataStart: from,
        dataEnd: end,
        periodEnd,
        purpose,
        reason: call.text("reason") ?? "",
      };
      const signer = walletOf(vault).signer(OWN_ADDRESS);
      await writeNew(out, await sealRequest(request, await cardOf(vault, signer), signer, to));
      call.io.result(
        { file: out, ...request },
        `Asked ${to.name} for ${streams.join(", ")}, ${shownWindow({ from, to: end })}, for ${purpose} until ${shown(periodEnd)}.`,
        `The request is in ${out}, sealed to them; send it.`,
      );
    }),
};
