import { equal, hex0x } from "../bytes/bytes.ts";
import type { AskPermission } from "../chain/permission.ts";
import { ACTIONS } from "../consent/actions.ts";
import { consentId, type Consent, type Hex } from "../consent/consent.ts";
import { streamsOf, type Link } from "../consent/scope.ts";
import type { ConsentRef, ConsentWatch } from "../consent/watch.ts";
import type { GenerationKeys, Release } from "../envelope/payload.ts";
import { narrow } from "../keys/cover.ts";
import { epochsOf } from "../log/stream.ts";
import { NoLeaseError } from "./errors.ts";
import { generationName, type GatewayState } from "./state.ts";

/** A generation to write, and the lease it comes from. */
export interface Writable {
  readonly keys: GenerationKeys;
  readonly lease: Release;
}

/** How far a patient's clock may run ahead, in seconds: as for grants on chain. */
const CLOCK_SKEW = 900;

/** The consent that a lease hangs on: the gateway's own. */
export const ownLink = (lease: Release): Link => lease.chain.at(-1) as Link;

const ids = new WeakMap<Consent, Hex>();

/** Leases are asked about with every reading that arrives alone; hashing a consent takes longer than sealing many of them. */
function idOf(consent: Consent): Hex {
  let id = ids.get(consent);
  if (id === undefined) ids.set(consent, (id = consentId(consent)));
  return id;
}

export const writeOf = (lease: Release): Hex => idOf(ownLink(lease).consent);

export const nameOf = (write: Hex, { stream, generation }: Pick<GenerationKeys, "stream" | "generation">): string =>
  generationName(write, hex0x(stream.id), generation);

const refOf = ({ consent }: Link): ConsentRef => ({ grantor: consent.grantor, id: idOf(consent) });

/** Leases issued in one second are told apart by their generations. */
const newest = ({ keys }: Release): number => Math.max(...keys.map(({ generation }) => generation));

/** Who the lease is to be checked for, and how. */
export interface LeaseChecks {
  readonly gateway: Hex;
  readonly watch: ConsentWatch;
  readonly ask: AskPermission;
  /** Unix seconds. */
  readonly time: number;
}

/**
 * Checks that a lease is this gateway's, in force, permitted by the registry, and whole: of every stream in the scope of its consent, and of
 * no other, one current generation and one spare, written under that consent.
 *
 * @throws NoLeaseError saying why not.
 */
export async function checkLease(lease: Release, { gateway, watch, ask, time }: LeaseChecks): Promise<void> {
  const link = ownLink(lease);
  const { consent } = link;
  if (lease.kind !== "lease" || (consent.actions & ACTIONS.WRITE) === 0)
    throw new NoLeaseError("the envelope is no lease");
  if (consent.grantee !== gateway) throw new NoLeaseError("the lease is for another gateway");
  if (lease.issuedAt > time + CLOCK_SKEW)
    throw new NoLeaseError("the lease is dated ahead of time", { hint: "check the clocks of patient and gateway" });
  checkWhole(lease, link);
  const hint = "wait until its grant is final, then hand the lease over again";
  if (!lease.chain.every((one) => watch.inForce(refOf(one))))
    throw new NoLeaseError("the consent of the lease is not finally in force", { hint });
  for (const stream of streamsOf(link)) {
    const { purpose, dataStart: dataTime } = consent;
    const question = { chain: lease.chain, grantee: gateway, action: ACTIONS.WRITE, purpose, stream, dataTime, time };
    if (!(await ask(question))) throw new NoLeaseError("the registry does not permit what the lease is for", { hint });
  }
}

function checkWhole(lease: Release, link: Link): void {
  const scope = streamsOf(link);
  const id = consentId(link.consent);
  const seen = new Set<string>();
  for (const { stream, role, write, data } of lease.keys) {
    const isWritten = role === "current" || role === "spare";
    if (!scope.includes(hex0x(stream.id)) || consentId(write.consent) !== id || !isWritten || !data)
      throw new NoLeaseError("the lease has keys that its consent does not cover");
    seen.add(`${hex0x(stream.id)}/${role}`);
  }
  if (seen.size !== lease.keys.length || seen.size !== 2 * scope.length)
    throw new NoLeaseError("the lease has not one generation and one spare for each stream");
}

/**
 * Keeps a checked lease; the newest under one consent counts. To be called inside a write of the journal.
 *
 * @throws NoLeaseError when a newer one is kept.
 */
export function keepLease(state: GatewayState, lease: Release): void {
  const id = writeOf(lease);
  const kept = state.leases.get(id);
  if (kept && (kept.issuedAt > lease.issuedAt || newest(kept) > newest(lease)))
    throw new NoLeaseError("a newer lease under this consent is kept already");
  // Of two of one second, which may come in either order, every end counts.
  const together = kept?.issuedAt === lease.issuedAt && newest(kept) === newest(lease);
  const retiredBy = together ? [...kept.retiredBy, ...lease.retiredBy] : lease.retiredBy;
  const keys = lease.keys.map((fresh) => {
    if (state.retired.get(nameOf(id, fresh))) return forgotten(fresh);
    const before = kept?.keys.find(
      (one) => equal(one.stream.id, fresh.stream.id) && one.generation === fresh.generation,
    );
    // Keys that were forgotten do not come back with a renewal.
    return before ? { ...fresh, data: before.data, audit: before.audit } : cutToWindow(fresh, ownLink(lease));
  });
  state.leases.set(id, { ...lease, retiredBy, keys });
}

function cutToWindow(keys: GenerationKeys, { consent }: Link): GenerationKeys {
  const { from, to } = epochsOf(keys.stream, consent.dataStart, consent.dataEnd);
  return { ...keys, data: keys.data && narrow(keys.data, from, to), audit: narrow(keys.audit, from, to) };
}

/** A generation whose keys are gone. */
const forgotten = (keys: GenerationKeys): GenerationKeys => ({ ...keys, data: undefined, audit: [] });

/** Also when it was granted again: others may have got keys meanwhile whose end the lease does not name. */
const endedSince = (time: number, ref: ConsentRef, watch: ConsentWatch): boolean =>
  watch.ended(ref) || watch.intervals(ref).some(({ until }) => until !== undefined && until >= time - CLOCK_SKEW);

/**
 * Retires the current generations of every lease one of whose watched consents has ended, and forgets their keys. What was retired stays
 * so, whatever a reorganisation of the chain says later. A lease whose own consent has ended is forgotten with all its keys. To be called
 * inside a write of the journal.
 *
 * @returns how many generations this call retired.
 */
export function retireEnded(state: GatewayState, watch: ConsentWatch, time: number): number {
  let retired = 0;
  for (const [id, lease] of state.leases.entries()) {
    const { consent } = ownLink(lease);
    if (time >= consent.periodEnd || lease.chain.some((link) => endedSince(lease.issuedAt, refOf(link), watch))) {
      state.leases.delete(id);
      continue;
    }
    if (!lease.retiredBy.some((ref) => watch.ended(ref))) continue;
    const ending = lease.keys.filter(
      (keys) => keys.role === "current" && !state.retired.get(nameOf(idOf(consent), keys)),
    );
    if (ending.length === 0) continue;
    for (const keys of ending) state.retired.set(nameOf(idOf(consent), keys), true);
    state.leases.set(id, {
      ...lease,
      keys: lease.keys.map((keys) => (ending.includes(keys) ? forgotten(keys) : keys)),
    });
    retired += ending.length;
  }
  return retired;
}

/** Whether the gateway may write under a lease that it keeps. @param time - Unix seconds now. */
export function isInForce(lease: Release, watch: ConsentWatch, time: number): boolean {
  const { periodStart, periodEnd } = ownLink(lease).consent;
  return time >= periodStart && time < periodEnd && !lease.chain.some((link) => watch.ended(refOf(link)));
}

/**
 * The generation in which the gateway writes `stream` under `write` now: the current one, or the spare once that was retired.
 *
 * @param time - Unix seconds now; a lease counts inside the period of its consent.
 * @throws NoLeaseError when no lease in force covers the stream.
 */
export function writable(
  state: GatewayState,
  write: Hex,
  stream: Uint8Array,
  watch: ConsentWatch,
  time: number,
): Writable {
  const lease = state.leases.get(write);
  if (lease && isInForce(lease, watch, time)) {
    const mine = lease.keys.filter((keys) => equal(keys.stream.id, stream) && keys.data);
    const keys = mine.find(({ role }) => role === "current") ?? mine.find(({ role }) => role === "spare");
    if (keys) return { keys, lease };
  }
  throw new NoLeaseError("no lease in force lets this gateway write the stream", {
    hint: "ask the patient for leave to write",
  });
}
