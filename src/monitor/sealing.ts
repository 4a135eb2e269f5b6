import { sha256 } from "../bytes/hash.ts";
import { utf8 } from "../bytes/bytes.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LeasedStream } from "../gateway/leave.ts";
import type { Desk } from "./desk.ts";
import { entryToObservation, type Entry } from "./entry.ts";
import { PlanInvalidError } from "./errors.ts";
import { checkSigned, type SignedPlan } from "./plan.ts";

/** The stream that a plan's entries go to, under the leave that the plan names. @throws PlanInvalidError. */
export function streamOf(gateway: Pick<Gateway, "streams" | "leave">, signed: SignedPlan): LeasedStream {
  const consent = gateway.leave(signed.write);
  const found = gateway.streams().find(({ write }) => write === signed.write);
  if (consent === undefined || found === undefined) throw new PlanInvalidError("no lease lets its alerts be written");
  checkSigned(signed, consent.grantor);
  return found;
}

/**
 * Seals the entries of a plan, epoch by epoch, as soon as an epoch is over; nothing waits for it. Each epoch is a source
 * of its own, so that after a crash it is sealed as it was, or passed over when it is sealed already.
 *
 * @param inTurn - How changes of the desk are made.
 * @returns how many entries were sealed.
 * @throws NoLeaseError and the gateway's others; what was not sealed is tried again with the next call.
 */
export async function sealDue(
  desk: Desk,
  gateway: Pick<Gateway, "ingest" | "streams" | "leave">,
  signed: SignedPlan,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<number> {
  const leased = streamOf(gateway, signed);
  const { epochLength } = leased.stream;
  const epochOf = ({ at }: Entry): number => Math.floor(at / 1000 / epochLength);
  const now = Math.floor(desk.now / 1000 / epochLength);
  const epochs = new Map<number, Entry[]>();
  for (const entry of desk.unsealed(signed.plan.id)) {
    const epoch = epochOf(entry);
    if (epoch >= now) break;
    epochs.set(epoch, [...(epochs.get(epoch) ?? []), entry]);
  }
  // Plans of one stream are sealed one after the other: no epoch is idle of which another one has entries yet.
  const others = desk.plans.filter(({ write, plan }) => write === signed.write && plan.id !== signed.plan.id);
  const idleBefore = Math.min(Infinity, ...others.flatMap(({ plan }) => desk.unsealed(plan.id).map(epochOf)));
  let sealed = 0;
  for (const [epoch, entries] of epochs) {
    const source = sha256(utf8(`medseal/v1/alerts/${signed.plan.id}/${epoch}`));
    const session = gateway.ingest(leased, { clock: { kind: "source" }, source, idleBefore });
    await session.addAll(entries.map(entryToObservation), (_, error) => {
      throw error;
    });
    await session.finish();
    const last = entries.at(-1) as Entry;
    await inTurn(() => desk.sealed(signed.plan.id, last.n + 1));
    sealed += entries.length;
  }
  return sealed;
}
