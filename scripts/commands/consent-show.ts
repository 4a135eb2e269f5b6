import type { Command } from "../cli/command.ts";
import { asPatient, consentOf } from "../cli/patient.ts";
import { stateOf } from "./consent-list.ts";

export const command: Command = {
  summary: "Shows one consent as it was signed",
  options: {
    to: { type: "string", value: "NAME", help: "whose newest one" },
    id: { type: "string", value: "HEX", help: "the first digits of its id" },
  },
  examples: [['consent show --to "Dr Lee"', "its sentence, its state, its fields with --json"]],
  run: (call) =>
    asPatient(call, (as) => {
      const record = consentOf(as.session.vault, { to: call.text("to"), id: call.text("id") });
      const { id, name, consent } = record;
      const state = stateOf(as, record);
      call.io.result({ id, name, state, consent }, `${name}: ${state}`, consent.statement, `id ${id}`);
      return Promise.resolve();
    }),
};
