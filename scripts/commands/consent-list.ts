import { actionNames } from "../../src/consent/actions.ts";
import { now } from "../../src/bytes/random.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import type { Command } from "../cli/command.ts";
import { asPatient, namesOf, type AsPatient } from "../cli/patient.ts";
import { shown, shownWindow } from "../cli/times.ts";

export const command: Command = {
  summary: "Lists who may do what with your data today, what ended and why",
  options: {},
  examples: [["consent list", "one block a consent"]],
  run: (call) =>
    asPatient(call, (as) => {
      const consents = as.patient.state.consents.map((record) => ({ ...describe(record), state: stateOf(as, record) }));
      const lines = consents.flatMap(({ id, name, actions, streams, data, until, purpose, state }) => [
        `${name}: ${state}`,
        `  may ${actions.join(", ")} ${streams.length > 0 ? streams.join(", ") : "nothing"}`,
        `  data ${shownWindow(data)}`,
        `  for ${purpose} until ${shown(until)}; id ${id.slice(2, 12)}`,
      ]);
      call.io.result({ consents }, ...(lines.length > 0 ? lines : ["You have allowed nobody anything yet."]));
      return Promise.resolve();

      function describe(record: ConsentRecord) {
        const { id, name, consent } = record;
        const { purpose, periodEnd: until, dataStart: from, dataEnd: to } = consent;
        const streams = namesOf(as.session.vault, record);
        return { id, name, actions: actionNames(consent.actions), streams, data: { from, to }, until, purpose };
      }
    }),
};

/** Whether the chain shows it as ended, so that nothing more has to be relayed. */
export function endedOnChain({ view }: Pick<AsPatient, "view">, { consent, id }: ConsentRecord): boolean {
  const { ended } = view.ledger.stateOf(consent.grantor, id);
  return ended === "revoked" || ended === "all-revoked";
}

/** In words: what the chain and the patient's own hand say. */
export function stateOf({ view }: Pick<AsPatient, "view">, { consent, id, revoked }: ConsentRecord): string {
  const { granted, ended, inForce } = view.ledger.stateOf(consent.grantor, id);
  if (ended === "revoked") return "ended: revoked";
  if (ended === "all-revoked") return "ended: you revoked everything";
  if (revoked || ended === "signed") return "ended: revoked by your signature, not on the chain yet (relay it)";
  if (now() >= consent.periodEnd) return "ended: its time is over";
  if (granted === undefined) return "signed, not on the chain yet (relay it)";
  if (!granted.final) return "on the chain, not final yet";
  return now() < consent.periodStart ? "granted, its time has not begun" : inForce ? "in force" : "not in force";
}
