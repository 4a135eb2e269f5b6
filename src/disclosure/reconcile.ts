import { NO_PARENT, consentId, type Hex } from "../consent/consent.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { Accounted, Accounting } from "./accounting.ts";
import { isSigned, receiptDigest, type Receipt } from "./receipt.ts";

/**
 * - `forged`: a receipt is not signed by the holder, or is of another chain; or the accounting names another holder.
 * - `broken`: a receipt does not follow on the one before it: one was left out, exchanged or dated back.
 * - `unknown-consent`: it names a consent that the accounting does not show.
 * - `other-terms`: it names another grantee or window than its consent.
 * - `not-in-force`: keys were released when the consent was not in force, or outside its period.
 * - `no-receipt`: keys were released under a consent, and no receipt says so.
 */
export type DifferenceKind = "forged" | "broken" | "unknown-consent" | "other-terms" | "not-in-force" | "no-receipt";

export interface Difference {
  readonly kind: DifferenceKind;
  /** Number of the receipt, where one is there. */
  readonly receipt?: number;
  readonly consent?: Hex;
  /** One sentence for people. */
  readonly text: string;
}

/** What no ledger of releases can show. */
export const TRACELESS =
  "This lists what was released, not what was read: whoever holds keys and reads blocks straight from IPFS leaves no trace.";

/** What whoever is handed an accounting cannot see. */
export const OPEN_END =
  "Names in it are its holder's words. What its holder left out at the end, receipts and consents alike, it cannot show: compare it with one of before.";

/**
 * Compares an access ledger with itself, with the consents and with the chain: receipts signed and whole, each release under a consent that was
 * in force then, each consent with a release having its receipt. Empty when there is no difference.
 *
 * @param holder - Whose it must be.
 */
export function reconcile(
  { holder: named, receipts, consents }: Accounting,
  { holder, place, watch }: { holder: Hex; place: RegistryAddress; watch: Pick<ConsentWatch, "intervals"> },
): Difference[] {
  const known = new Map(consents.map((accounted) => [consentId(accounted.consent), accounted]));
  const other: Difference[] = named === holder ? [] : [{ kind: "forged", text: "the accounting is of another holder" }];
  return [
    ...other,
    ...chainOf(receipts, holder, place),
    ...receipts.flatMap((receipt) => underConsent(receipt, known, watch)),
    ...[...known].flatMap(([id, accounted]) => withoutReceipt(id, accounted, receipts)),
  ];
}

function chainOf(receipts: readonly Receipt[], holder: Hex, place: RegistryAddress): Difference[] {
  return receipts.flatMap((receipt, i): Difference[] => {
    const { number } = receipt;
    const elsewhere = receipt.chainId !== place.chainId || receipt.registry !== place.registry;
    if (elsewhere || receipt.holder !== holder || !isSigned(receipt))
      return [
        { kind: "forged", receipt: number, text: `receipt ${number} is not signed by its holder for this chain` },
      ];
    const before = receipts[i - 1];
    const follows =
      number === i &&
      receipt.previous === (before === undefined ? NO_PARENT : receiptDigest(before)) &&
      receipt.at >= (before?.at ?? 0);
    if (follows) return [];
    return [{ kind: "broken", receipt: number, text: `receipt ${number} does not follow on the one before it` }];
  });
}

function underConsent(
  { act, consent: id, grantee, dataStart, dataEnd, at, number: receipt }: Receipt,
  known: ReadonlyMap<Hex, Accounted>,
  watch: Pick<ConsentWatch, "intervals">,
): Difference[] {
  if (act === "carried" || act === "denied") return [];
  const say = (kind: DifferenceKind, what: string): Difference[] => [
    { kind, receipt, consent: id, text: `receipt ${receipt} ${what}` },
  ];
  const { consent } = known.get(id) ?? {};
  if (consent === undefined) return say("unknown-consent", "is about a consent that is not shown");
  if (grantee !== consent.grantee || dataStart !== consent.dataStart || dataEnd !== consent.dataEnd)
    return say("other-terms", "names another grantee or window than its consent");
  const inForce = watch
    .intervals({ grantor: consent.grantor, id })
    .some(({ from, until = Infinity }) => at >= from && at < until);
  if (inForce && at >= consent.periodStart && at < consent.periodEnd) return [];
  return say("not-in-force", "is of a time at which its consent was not in force");
}

function withoutReceipt(
  id: Hex,
  { releasedAt, leasedAt, name }: Accounted,
  receipts: readonly Receipt[],
): Difference[] {
  const own = receipts.filter(({ consent }) => consent === id);
  const missing =
    (releasedAt > 0 && !own.some(({ act, at }) => act === "released" && at === releasedAt)) ||
    (leasedAt > 0 && !own.some(({ act }) => act === "leased"));
  if (!missing) return [];
  return [{ kind: "no-receipt", consent: id, text: `keys were released to ${name}, and no receipt says so` }];
}
