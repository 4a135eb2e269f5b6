import { fromHex } from "../../src/bytes/bytes.ts";
import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { readUserText } from "../cli/files.ts";
import { asPatientOffline } from "../cli/patient.ts";

const DIGITS = /^[0-9a-f]{64}$/;

export const command: Command = {
  summary: "Notes that a gateway keeps its leases. Only then may keys go to those whose end it is to heed",
  words: "FILE|RECEIPT",
  options: {},
  examples: [["gateway confirm gw.receipt --as ann", "what medseal gateway accept wrote"]],
  run: (call) =>
    asPatientOffline(call, async ({ session, patient }) => {
      const word = call.word("receipt");
      const receipts = DIGITS.test(word) ? [word] : (await readUserText(word)).trim().split(/\s+/);
      if (!receipts.every((receipt) => DIGITS.test(receipt)))
        throw new UsageError("that is no receipt", {
          hint: "64 hexadecimal digits, or the file that medseal gateway accept wrote",
        });
      for (const receipt of receipts) patient.confirmLease(fromHex(receipt));
      await session.save();
      call.io.result(
        { confirmed: receipts.length },
        "Confirmed. What waited for it can be released: medseal release --to NAME",
      );
    }),
};
