import { hex } from "../../src/bytes/bytes.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import type { Release } from "../../src/envelope/payload.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, readUserFile, writeNew } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { readMail } from "../cli/mail.ts";
import { senderOf } from "../cli/people.ts";
import { count, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary:
    "As a gateway: opens leases, checks that they are from a patient you know and in force, keeps them, and prints the receipt that goes back",
  words: "FILE",
  options: { out: { type: "string", value: "FILE", help: "where the receipt goes as well; it is no secret" } },
  examples: [
    ["gateway accept gw.lease --out gw.receipt --as ward-gateway", "the patient takes it: medseal gateway confirm"],
  ],
  run: (call) =>
    asGateway(call, async ({ gateway, session }) => {
      const out = call.text("out");
      if (out !== undefined) await checkNew(out);
      const leases: Release[] = [];
      for (const { envelope } of readMail(await readUserFile(call.word("lease"))))
        leases.push(await gateway.acceptLease(envelope, (lease) => void senderOf(session.vault, lease)));
      const receipts = leases.map((lease) => hex(receiptOf(lease)));
      if (out !== undefined) await writeNew(out, receipts.map((receipt) => `${receipt}\n`).join(""));
      for (const [i, lease] of leases.entries()) {
        const { consent } = lease.chain.at(-1)!;
        const streams = [...new Set(lease.keys.map(({ stream }) => stream.name))];
        const { name } = senderOf(session.vault, lease);
        call.io.result(
          { receipt: receipts[i], from: name, streams },
          `Lease of ${name} over ${streams.join(", ")}`,
          `  data ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })}; heeds the end of ${count(lease.retiredBy.length, "consent")}`,
          `Receipt: ${receipts[i]}`,
        );
      }
    }),
};
