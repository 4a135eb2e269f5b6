import type { Command } from "../cli/command.ts";
import { asPatient } from "../cli/patient.ts";
import { signAndKeep, TERMS, termsOf } from "../cli/terms.ts";

export const command: Command = {
  summary: "Lets a gateway record data of your streams: draws up the consent and signs it",
  options: TERMS,
  examples: [
    [
      'gateway authorize --to "Ward gateway" --data now.. --until 1w --round --out gw.grant',
      "a live gateway, for a week",
    ],
    [
      'gateway authorize --to "Ward gateway" --data 2026-03-01..2026-03-02 --until 1d --out old.grant',
      "an old recording: its own window",
    ],
  ],
  run: (call) =>
    asPatient(call, async (as) => {
      const record = await as.patient.authorizeGateway(termsOf(call, as));
      await signAndKeep(call, as, record);
    }),
};
