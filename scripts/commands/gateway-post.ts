import type { Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { readMail } from "../cli/mail.ts";
import { count } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: carries mail, such as releases, in its next checkpoint",
  words: "FILE",
  options: {},
  examples: [["gateway post lee.mail --as ward-gateway", "what medseal release wrote"]],
  run: (call) =>
    asGateway(call, async ({ gateway }) => {
      const mail = readMail(await readUserFile(call.word("mail file")));
      for (const { envelope, row } of mail) await gateway.carry(envelope, row);
      call.io.result(
        { envelopes: mail.length },
        `${count(mail.length, "envelope")} kept for the next checkpoint: medseal gateway anchor`,
      );
    }),
};
