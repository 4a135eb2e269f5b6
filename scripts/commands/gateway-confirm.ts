import { fromHex } from "../../src/bytes/bytes.ts";
import { UsageError } from "../../src/errors.ts";
import type { Command } from "../cli/command.ts";
import { asPatientOffline } from "../cli/patient.ts";

export const command: Command = {
  summary: "Notes that a gateway keeps its lease. Only then may keys go to those whose end it is to heed",
  words: "RECEIPT",
  options: {},
  examples: [["gateway confirm 5f0c…", "the receipt that medseal gateway accept printed"]],
  run: (call) =>
    asPatientOffline(call, async ({ session, patient }) => {
      const receipt = call.word("receipt");
      if (!/^[0-9a-f]{64}$/.test(receipt)) throw new UsageError("a receipt is 64 hexadecimal digits");
      patient.confirmLease(fromHex(receipt));
      await session.save();
      call.io.result({ confirmed: true }, "Confirmed. What waited for it can be released: medseal release --to NAME");
    }),
};
