import { hex } from "../../src/bytes/bytes.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import type { Command } from "../cli/command.ts";
import { checkNew, readUserFile, writeNew } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { count, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: opens a lease, checks it, keeps it, and prints the receipt that goes back to the patient",
  words: "FILE",
  options: { out: { type: "string", value: "FILE", help: "where the receipt goes as well; it is no secret" } },
  examples: [
    ["gateway accept gw.lease --out gw.receipt --as ward-gateway", "the patient takes it: medseal gateway confirm"],
  ],
  run: (call) =>
    asGateway(call, async ({ gateway }) => {
      const out = call.text("out");
      if (out !== undefined) await checkNew(out);
      const lease = await gateway.acceptLease(await readUserFile(call.word("lease")));
      const receipt = hex(receiptOf(lease));
      if (out !== undefined) await writeNew(out, `${receipt}\n`);
      const { consent } = lease.chain.at(-1) ?? lease.chain[0]!;
      const streams = [...new Set(lease.keys.map(({ stream }) => stream.name))];
      call.io.result(
        { receipt, from: lease.from, streams },
        `Lease of ${lease.from} over ${streams.join(", ")}`,
        `  data ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })}; heeds the end of ${count(lease.retiredBy.length, "consent")}`,
        `Receipt: ${receipt}`,
      );
    }),
};
