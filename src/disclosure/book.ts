import { utf8 } from "../bytes/bytes.ts";
import { hkdfExpand } from "../bytes/hash.ts";
import { now, type Now } from "../bytes/random.ts";
import { NO_PARENT, type Hex } from "../consent/consent.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { inOrder, Journal, type Table } from "../state/journal.ts";
import type { Rows } from "../state/rows.ts";
import { receiptDigest, signReceipt, type Disclosure, type Receipt } from "./receipt.ts";

/** Where whoever releases writes receipts. What is released must not leave before `write` resolves. */
export interface ReceiptBook {
  write(disclosure: Disclosure): Promise<Pick<Receipt, "at">>;
}

export interface BookDeps {
  /** With the address on the holder's card. */
  readonly signer: TypedSigner;
  readonly holder: Hex;
  readonly place: RegistryAddress;
  readonly rows: Rows;
  /** 32 secret bytes; the rows are sealed under a key of their own that follows from it. */
  readonly secret: Uint8Array;
  readonly now?: Now;
}

/** The access ledger of one identity on one chain: sealed, durable, and only ever longer. */
export class AccessLedger implements ReceiptBook {
  readonly #deps: Required<BookDeps>;
  readonly #journal: Journal;
  readonly #receipts: Table<Receipt>;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws JournalBusyError, JournalFailedError. */
  constructor(deps: BookDeps) {
    this.#deps = { now, ...deps };
    this.#journal = new Journal(deps.rows, hkdfExpand(deps.secret, utf8("medseal/v1/disclosures")));
    this.#receipts = this.#journal.table("receipt");
  }

  /** In their order. */
  get receipts(): Receipt[] {
    return this.#receipts.entries().map(([, receipt]) => receipt);
  }

  /** Signs a receipt and keeps it; durable when this resolves. One after the other, so that each names the one before. */
  write(disclosure: Disclosure): Promise<Receipt> {
    const turn = this.#last.then(() => this.#write(disclosure));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  close(): void {
    this.#journal.close();
  }

  async #write(disclosure: Disclosure): Promise<Receipt> {
    const { signer, holder, place, now: clock } = this.#deps;
    const before = this.#receipts.entries().at(-1)?.[1];
    const number = before === undefined ? 0 : before.number + 1;
    const previous = before === undefined ? NO_PARENT : receiptDigest(before);
    // A clock that was set back must not turn the order around.
    const at = Math.max(clock(), before?.at ?? 0);
    const receipt = await signReceipt(signer, place, { ...disclosure, holder, number, previous, at });
    await this.#journal.write(() => this.#receipts.set(inOrder(number), receipt));
    return receipt;
  }
}
