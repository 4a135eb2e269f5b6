import type { Command } from "../cli/command.ts";
import { withIdentity } from "../cli/home.ts";

export const command: Command = {
  summary: "Lists your streams, and which gateway writes them",
  options: {},
  examples: [["stream list", "names, codes, epochs, gateways"]],
  run: (call) =>
    withIdentity(call, ({ vault }) => {
      const streams = vault.patient.streams.map(({ descriptor: { name, channels, epochLength }, generations }) => {
        const writers = generations
          .filter(({ role }) => role === "current")
          .map(({ write }) => vault.patient.consents.find(({ id }) => id === write)?.name ?? "");
        return { name, channels, epochLength, writers, generations: generations.length };
      });
      const lines = streams.map(({ name, channels, epochLength, writers }) => {
        const what = channels.map(({ code, unit }) => `${code.code} in ${unit === "" ? "no unit" : unit}`).join(", ");
        return `${name.padEnd(22)} ${what}; epochs of ${epochLength} s; ${writers.length > 0 ? `written by ${writers.join(", ")}` : "no gateway yet"}`;
      });
      call.io.result({ streams }, ...(lines.length > 0 ? lines : ["No stream is open: medseal stream open NAME"]));
      return Promise.resolve();
    }),
};
