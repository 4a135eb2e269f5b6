import { cidOf } from "../../src/ipfs/cid.ts";
import type { Anchored } from "../../src/gateway/checkpoints.ts";
import type { Command } from "../cli/command.ts";
import { asGateway } from "../cli/gateway.ts";

export const command: Command = {
  summary: "As a gateway: stores and anchors a checkpoint of what waits; all padding when nothing does",
  options: {
    drain: { type: "boolean", help: "goes on until nothing waits; several in a row show that there was much" },
  },
  examples: [["gateway anchor --as ward-gateway", "one checkpoint, as at its cadence"]],
  run: (call) =>
    asGateway(call, async ({ gateway }) => {
      await gateway.retireEnded();
      const anchored = await (call.flag("drain") ? gateway.drain() : gateway.checkpoint());
      call.io.result({ checkpoints: anchored.map(object) }, ...anchored.map(line));
    }),
};

export const object = ({ digest, pinset, receipt, own }: Anchored): object => ({
  checkpoint: cidOf(digest),
  pinset,
  batches: own.length,
  ...(receipt === undefined ? {} : { transaction: receipt.transaction, gas: Number(receipt.gasUsed) }),
});

export const line = ({ digest, receipt, own, size }: Anchored): string =>
  `checkpoint ${cidOf(digest)}: ${own.length} of ${size} entries are batches; ${receipt === undefined ? "was on the chain already" : `${receipt.gasUsed.toLocaleString("en")} gas`}`;
