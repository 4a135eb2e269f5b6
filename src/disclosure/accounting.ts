import { checkFields, isAddress, isBytes32, isTime, type Consent, type Hex } from "../consent/consent.ts";
import { checkStatement } from "../consent/statement.ts";
import { MedSealError } from "../errors.ts";
import { checkReceipt, ReceiptError, type Receipt } from "./receipt.ts";

/** A consent in an accounting: the whole document, from which its id follows. */
export interface Accounted {
  /** How the holder calls the grantee. */
  readonly name: string;
  readonly consent: Consent;
  /** When keys were last released under it, as the vault has it; 0 when never. */
  readonly releasedAt: number;
  readonly leasedAt: number;
}

/** What a holder hands to an auditor: all receipts, and the consents they are about. Private: it says who treats whom. */
export interface Accounting {
  readonly format: "medseal-disclosures";
  readonly version: 1;
  readonly holder: Hex;
  readonly receipts: readonly Receipt[];
  readonly consents: readonly Accounted[];
}

export const formatAccounting = (accounting: Accounting): string => `${JSON.stringify(accounting)}\n`;

/** @throws ReceiptError; ConsentInvalidError, StatementDiffersError for a consent in it. Neither signatures nor order are checked: see `reconcile`. */
export function parseAccounting(text: string): Accounting {
  const value = parsed(text) as Partial<Accounting> | null;
  const { format, version, holder, receipts, consents } = value ?? {};
  if (format !== "medseal-disclosures" || version !== 1) throw new ReceiptError("this is no accounting, version 1");
  if (
    !isAddress(holder) ||
    !Array.isArray(receipts) ||
    !Array.isArray(consents) ||
    Object.keys(value ?? {}).length !== 5
  )
    throw new ReceiptError("the accounting is not well-formed");
  receipts.forEach(checkReceipt);
  consents.forEach(checkAccounted);
  return value as Accounting;
}

function checkAccounted(value: unknown): void {
  const { name, consent, releasedAt, leasedAt } = (value ?? {}) as Partial<Accounted>;
  if (
    typeof name !== "string" ||
    typeof consent !== "object" ||
    consent === null ||
    !isTime(releasedAt) ||
    !isTime(leasedAt)
  )
    throw new ReceiptError("a consent of the accounting is not well-formed");
  try {
    checkFields(consent);
    if (!isBytes32(consent.salt)) throw new ReceiptError("the salt of a consent is not 32 bytes");
    checkStatement(consent);
  } catch (cause) {
    if (cause instanceof MedSealError) throw cause;
    throw new ReceiptError("a consent of the accounting is not well-formed", { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ReceiptError("the accounting is not JSON", { cause });
  }
}
