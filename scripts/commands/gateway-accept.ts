import { hex } from "../../src/bytes/bytes.ts";
import { receiptOf } from "../../src/envelope/receipt.ts";
import type { Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { asGateway } from "../cli/gateway.ts";
import { shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "As a gateway: opens a lease, checks it, keeps it, and prints the receipt that goes back to the patient",
  words: "FILE",
  options: {},
  examples: [["gateway accept gw.lease --as ward-gateway", "prints the receipt"]],
  run: (call) =>
    asGateway(call, async ({ gateway }) => {
      const lease = await gateway.acceptLease(await readUserFile(call.word("lease")));
      const receipt = hex(receiptOf(lease));
      const { consent } = lease.chain.at(-1) ?? lease.chain[0]!;
      const streams = [...new Set(lease.keys.map(({ stream }) => stream.name))];
      call.io.result(
        { receipt, from: lease.from, streams },
        `Lease of ${lease.from} over ${streams.join(", ")}`,
        `  data ${shownWindow({ from: consent.dataStart, to: consent.dataEnd })}; heeds the end of ${lease.retiredBy.length} consents`,
        `Receipt: ${receipt}`,
      );
    }),
};
