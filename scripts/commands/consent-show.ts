import type { Command } from "../cli/command.ts";
import { asPatient, consentsOf, namesOf } from "../cli/patient.ts";
import { stateOf } from "./consent-list.ts";

export const command: Command = {
  summary: "Shows consents as they were signed",
  options: {
    to: { type: "string", value: "NAME", help: "all of theirs" },
    id: { type: "string", value: "HEX", help: "the first digits of an id" },
  },
  examples: [['consent show --to "Dr Lee"', "its sentence, its state, its fields with --json"]],
  run: (call) =>
    asPatient(call, (as) => {
      const { vault } = as.session;
      for (const record of consentsOf(vault, { to: call.text("to"), id: call.text("id") })) {
        const { id, name, consent } = record;
        const [state, streams] = [stateOf(as, record), namesOf(vault, record)];
        const lines = [`${name}: ${state}`, consent.statement, `streams ${streams.join(", ")}`, `id ${id}`];
        call.io.result({ id, name, state, streams, consent }, ...lines);
      }
      return Promise.resolve();
    }),
};
