import { isFiled, readFiled } from "../../src/late/filed.ts";
import type { Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { readMail } from "../cli/mail.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary:
    "As a gateway: carries mail, such as releases, and late readings that a patient has filed, in its next checkpoint",
  words: "FILE",
  options: {},
  examples: [
    ["gateway post lee.mail --as ward-gateway", "what medseal release wrote"],
    ["gateway post late.filed --as ward-gateway", "what medseal late file wrote"],
  ],
  run: (call) =>
    asGateway(call, async ({ gateway }) => {
      const bytes = await readUserFile(call.word("mail file"));
      if (isFiled(bytes)) {
        const batches = await gateway.carryFiled(readFiled(bytes));
        const text = `${count(batches, "batch", "batches")} of late readings kept for the next checkpoint: medseal gateway anchor`;
        return call.io.result({ batches }, text);
      }
      const mail = readMail(bytes);
      for (const { envelope, row } of mail) await gateway.carry(envelope, row);
      call.io.result(
        { envelopes: mail.length },
        `${count(mail.length, "envelope")} kept for the next checkpoint: medseal gateway anchor`,
      );
    }),
};
