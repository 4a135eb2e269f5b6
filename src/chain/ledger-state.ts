import type { LedgerEvent } from "./ledger-store.ts";

/** The storage of ConsentLedger for one consent, times in unix seconds, 0 for "not". */
export interface Entry {
  readonly issuedAt: number;
  readonly grantedAt: number;
  readonly revokedAt: number;
}

/** A time in which a consent was in force; half-open, in block time, open at the end when it still is. */
export interface Interval {
  readonly from: number;
  readonly until?: number;
}

/** @param events - Of one consent, in the order of the chain. */
export function entryAfter(events: readonly LedgerEvent[]): Entry {
  let entry: Entry = { issuedAt: 0, grantedAt: 0, revokedAt: 0 };
  for (const { kind, value, time } of events) {
    if (kind === "granted") entry = { ...entry, issuedAt: value, grantedAt: time };
    if (kind === "revoked") entry = { ...entry, revokedAt: time };
  }
  return entry;
}

/** @param events - Those of all consents of one grantor, in the order of the chain. */
export const endedBeforeAfter = (events: readonly LedgerEvent[]): number => events.at(-1)?.value ?? 0;

/** As ConsentLedger.isActive has it. */
export const isActive = (entry: Entry, endedBefore: number): boolean =>
  entry.grantedAt !== 0 && entry.revokedAt === 0 && entry.issuedAt > endedBefore;

/** When a consent was in force. A consent ended by `revokeAll` and granted again has several intervals. */
export function intervals(ofConsent: readonly LedgerEvent[], ofAll: readonly LedgerEvent[]): Interval[] {
  const found: Interval[] = [];
  const past: { one: LedgerEvent[]; all: LedgerEvent[] } = { one: [], all: [] };
  let from: number | undefined;
  for (const event of [...ofConsent, ...ofAll].sort((a, b) => a.block - b.block || a.index - b.index)) {
    (event.kind === "allRevoked" ? past.all : past.one).push(event);
    const active = isActive(entryAfter(past.one), endedBeforeAfter(past.all));
    if (active) from ??= event.time;
    else if (from !== undefined) {
      // In one block: granted and ended at once, so never in force.
      if (event.time > from) found.push({ from, until: event.time });
      from = undefined;
    }
  }
  return from === undefined ? found : [...found, { from }];
}
