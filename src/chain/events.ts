import { getAddress } from "ethers";
import { LAST_TIME, type Hex } from "../consent/consent.ts";
import { registryInterface } from "./contracts.ts";
import { NodeLiesError } from "./errors.ts";
import type { EventKind, LedgerEvent } from "./ledger-store.ts";
import type { Log } from "./logs.ts";

/** How far ahead of its block a message may have been issued, as in ConsentLedger. */
const MAX_CLOCK_AHEAD = 15 * 60;

const KIND_OF_TOPIC: ReadonlyMap<string, EventKind> = new Map([
  [registryInterface.getEvent("ConsentGranted").topicHash, "granted"],
  [registryInterface.getEvent("ConsentRevoked").topicHash, "revoked"],
  [registryInterface.getEvent("AllConsentsRevoked").topicHash, "allRevoked"],
]);

const SHAPE: Readonly<Record<EventKind, { topics: number; words: number }>> = {
  granted: { topics: 3, words: 1 },
  revoked: { topics: 3, words: 0 },
  allRevoked: { topics: 2, words: 1 },
};

/**
 * Reads an event of ConsentRegistry. By hand, because a ledger reads many and the layout is fixed.
 *
 * @throws NodeLiesError for what that contract can never have emitted, such as a grant issued in the block's future.
 */
export function readEvent(log: Log, time: number): LedgerEvent {
  const kind = KIND_OF_TOPIC.get(log.topics[0] ?? "");
  if (kind === undefined) throw new NodeLiesError("an event that the registry does not have");
  const { topics, words } = SHAPE[kind];
  const grantor = log.topics[1];
  if (
    log.topics.length !== topics ||
    log.data.length !== 2 + 64 * words ||
    !grantor?.startsWith("0x" + "0".repeat(24))
  ) {
    throw new NodeLiesError("an event of the wrong form");
  }
  const value = words === 0 ? 0 : Number(BigInt(log.data));
  if (words === 1 && (value === 0 || value > Math.min(time + MAX_CLOCK_AHEAD, LAST_TIME))) {
    throw new NodeLiesError("a message issued in the future of its block");
  }
  const place = { kind, block: log.block, index: log.index, value, time };
  const event = { ...place, grantor: getAddress(`0x${grantor.slice(26)}`) as Hex };
  return kind === "allRevoked" ? event : { ...event, consentId: log.topics[2] };
}

/**
 * Checks that the registry could emit `event` after the earlier events of the same consent and of all consents of the
 * grantor; see ConsentLedger.
 *
 * @throws NodeLiesError
 */
export function checkFollows(
  event: LedgerEvent,
  ofConsent: readonly LedgerEvent[],
  ofAll: readonly LedgerEvent[],
): void {
  const revoked = ofConsent.some(({ kind }) => kind === "revoked");
  const newest = (events: readonly LedgerEvent[]): number => Math.max(0, ...events.map(({ value }) => value));
  const possible = {
    granted: !revoked && event.value > newest(ofConsent) && event.value > newest(ofAll),
    revoked: !revoked,
    allRevoked: event.value > newest(ofAll),
  };
  if (!possible[event.kind]) throw new NodeLiesError("an event that the registry would have refused");
}
