import { equal, hex } from "../bytes/bytes.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId, type Hex } from "../consent/consent.ts";
import type { Link } from "../consent/scope.ts";
import type { ConsentRef, ConsentWatch } from "../consent/watch.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { NoLeaseError } from "./errors.ts";
import type { GatewayState } from "./state.ts";

/** A generation to write, and the lease it comes from. */
export interface Writable {
  readonly keys: GenerationKeys;
  readonly write: Link;
}

export const generationKey = ({ stream, generation }: GenerationKeys): string => `${hex(stream.id)}:${generation}`;

/** Leases issued in one second are told apart by their generations. */
const newest = ({ keys }: Release): number => Math.max(...keys.map(({ generation }) => generation));

const own = (lease: Release): Link => lease.chain.at(-1) as Link;

const refOf = ({ consent }: Link): ConsentRef => ({ grantor: consent.grantor, id: consentId(consent) });

/**
 * Keeps a lease when it is for this gateway and in force; the newest under one consent counts.
 *
 * @throws NoLeaseError saying why not.
 */
export function acceptLease(state: GatewayState, lease: Release, gateway: Hex, watch: ConsentWatch): void {
  const { consent } = own(lease);
  if (lease.kind !== "lease" || (consent.actions & ACTIONS.WRITE) === 0)
    throw new NoLeaseError("the envelope is no lease");
  if (consent.grantee !== gateway) throw new NoLeaseError("the lease is for another gateway");
  const id = consentId(consent);
  if (!lease.chain.every((link) => watch.inForce(refOf(link)))) {
    throw new NoLeaseError("the consent of the lease is not finally in force", {
      hint: "wait until its grant is final, then hand the lease over again",
    });
  }
  const kept = state.leases[id];
  if (kept && (kept.issuedAt > lease.issuedAt || newest(kept) > newest(lease)))
    throw new NoLeaseError("a newer lease under this consent is kept already");
  // Of two of one second, which may come in either order, every end counts.
  const together = kept?.issuedAt === lease.issuedAt && newest(kept) === newest(lease);
  state.leases[id] = together ? { ...lease, retiredBy: [...kept.retiredBy, ...lease.retiredBy] } : lease;
}

/**
 * Retires the current generations of every lease one of whose watched consents has ended. What was retired stays so, whatever a
 * reorganisation of the chain says later.
 *
 * @returns keys of the generations that this call retired.
 */
export function retireEnded(state: GatewayState, watch: ConsentWatch): string[] {
  const retired: string[] = [];
  for (const lease of Object.values(state.leases)) {
    if (!lease.retiredBy.some((ref) => watch.ended(ref))) continue;
    for (const keys of lease.keys) {
      const key = generationKey(keys);
      if (keys.role === "current" && !state.retired.includes(key)) retired.push(key);
    }
  }
  state.retired.push(...retired);
  return retired;
}

/**
 * The generation in which the gateway writes `stream` now: the current one, or the spare once that was retired.
 *
 * @param time - Unix seconds now; a lease counts inside the period of its consent.
 * @throws NoLeaseError when no lease in force covers the stream.
 */
export function writable(state: GatewayState, stream: Uint8Array, watch: ConsentWatch, time: number): Writable {
  for (const lease of Object.values(state.leases)) {
    const write = own(lease);
    const { periodStart, periodEnd } = write.consent;
    if (time < periodStart || time >= periodEnd || lease.chain.some((link) => watch.ended(refOf(link)))) continue;
    const mine = lease.keys.filter(
      (keys) => equal(keys.stream.id, stream) && !state.retired.includes(generationKey(keys)),
    );
    const keys = mine.find(({ role }) => role === "current") ?? mine.find(({ role }) => role === "spare");
    if (keys?.data) return { keys, write };
  }
  throw new NoLeaseError("no lease in force lets this gateway write the stream", {
    hint: "ask the patient for leave to write",
  });
}
