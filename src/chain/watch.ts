import type { ConsentWatch } from "../consent/watch.ts";
import type { ConsentLedger } from "./ledger.ts";

/** The ledger as use cases ask it. */
export const watchLedger = (ledger: ConsentLedger): ConsentWatch => ({
  refresh: async () => void (await ledger.sync()),
  ended: ({ grantor, id }) => ledger.stateOf(grantor, id).ended !== undefined,
  inForce: ({ grantor, id }) => ledger.stateOf(grantor, id).inForce,
  intervals: ({ grantor, id }) => ledger.intervalsOf(grantor, id),
});
