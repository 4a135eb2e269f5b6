import { now } from "../../src/bytes/random.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import { UsageError } from "../../src/errors.ts";
import type { ConsentRecord } from "../../src/patient/state.ts";
import { consentsOf, type AsPatient, type Named } from "./patient.ts";

/** Consents of somebody that are in force by final blocks. @throws UsageError that says of the newest one why there is none; the access ledger says so too. */
export async function inForceOf(
  { session: { vault }, view, patient }: AsPatient,
  named: Named,
  action: "write" | "read",
): Promise<ConsentRecord[]> {
  const wanted = action === "write" ? ACTIONS.WRITE : ACTIONS.READ | ACTIONS.AUDIT;
  const all = consentsOf(vault, named).filter(({ consent }) => (consent.actions & wanted) !== 0);
  const live = all.filter(
    ({ consent, id, revoked }) =>
      !revoked && view.ledger.stateOf(consent.grantor, id).inForce && consent.periodEnd > now(),
  );
  if (live.length > 0) return live;
  const newest = all.at(-1);
  if (newest === undefined)
    throw new UsageError(action === "write" ? "no consent lets them write" : "no consent lets them read or audit", {
      hint:
        action === "write"
          ? "medseal gateway authorize; a reader gets medseal release"
          : "medseal consent grant; a gateway gets medseal gateway lease",
    });
  await patient.deny(newest.id);
  const { granted, ended } = view.ledger.stateOf(newest.consent.grantor, newest.id);
  if (newest.revoked || ended !== undefined)
    throw new UsageError("their consents have ended", { hint: "grant a new one" });
  if (granted === undefined)
    throw new UsageError("the consent is not on the chain yet", {
      hint: "have its file relayed: medseal relay FILE --wait",
    });
  throw new UsageError("the consent is on the chain, but not final yet", {
    hint: "wait a moment; medseal relay FILE --wait does so",
  });
}
