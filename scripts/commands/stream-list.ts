import type { Command } from "../cli/command.ts";
import { withVault } from "../cli/home.ts";
import { describeStream } from "../cli/streams.ts";

export const command: Command = {
  summary: "Lists your streams, and which gateway writes them",
  options: {},
  examples: [["stream list", "names, codes, epochs, gateways"]],
  run: (call) =>
    withVault(call, ({ vault }) => {
      const streams = vault.patient.streams.map(({ descriptor: { name, channels, epochLength }, generations }) => {
        const writers = generations
          .filter(({ role }) => role === "current")
          .map(({ write }) => vault.patient.consents.find(({ id }) => id === write)?.name ?? "");
        return { name, channels, epochLength, writers, generations: generations.length };
      });
      const lines = streams.map(
        (stream) =>
          `${describeStream(stream)}; ${stream.writers.length > 0 ? `written by ${stream.writers.join(", ")}` : "no gateway yet"}`,
      );
      call.io.result({ streams }, ...(lines.length > 0 ? lines : ["No stream is open: medseal stream open NAME"]));
      return Promise.resolve();
    }),
};
