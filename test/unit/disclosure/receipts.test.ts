import { expect } from "chai";
import { RelationshipWallet } from "../../../src/chain/wallet.ts";
import { consentId, type Hex } from "../../../src/consent/consent.ts";
import { formatAccounting, parseAccounting, type Accounting } from "../../../src/disclosure/accounting.ts";
import { AccessLedger } from "../../../src/disclosure/book.ts";
import {
  checkReceipt,
  isSigned,
  NOBODY,
  receiptDigest,
  signReceipt,
  type Disclosure,
  type Receipt,
} from "../../../src/disclosure/receipt.ts";
import { reconcile } from "../../../src/disclosure/reconcile.ts";
import { PaperRows, PLACE } from "../../integration/rig.ts";
import { sample } from "../consent/samples.ts";

const wallet = new RelationshipWallet("test test test test test test test test test test test junk");
const signer = wallet.signer(0);
const holder = signer.address as Hex;
const consent = sample();
const id = consentId(consent);
const { grantee, dataStart, dataEnd, periodStart } = consent;
const envelope: Hex = `0x${"ab".repeat(32)}`;
const released: Disclosure = {
  act: "released",
  consent: id,
  grantee,
  dataStart,
  dataEnd,
  envelopes: [envelope],
  reason: "",
};
const secret = new Uint8Array(32).fill(7);
const T = periodStart + 1000;

const ledgerOf = (rows: PaperRows, now = T): AccessLedger =>
  new AccessLedger({ signer, holder, place: PLACE, rows, secret, now: () => now });

/** Two releases, a refusal and an envelope that was carried. */
async function written(): Promise<Receipt[]> {
  const ledger = ledgerOf(new PaperRows());
  await ledger.write(released);
  await ledger.write({ ...released, act: "denied", envelopes: [], reason: "ERR_RELEASE_REFUSED" });
  await ledger.write({ act: "carried", ...NOBODY, envelopes: [envelope], reason: "" });
  await ledger.write(released);
  return ledger.receipts;
}

const accounting = (receipts: readonly Receipt[], releasedAt = T): Accounting => ({
  format: "medseal-disclosures",
  version: 1,
  holder,
  receipts,
  consents: [{ name: "Dr Lee", consent, releasedAt, leasedAt: 0 }],
});

const inForce = { intervals: () => [{ from: T - 500, until: T + 500 }] };
const found = (given: Accounting, watch: Parameters<typeof reconcile>[1]["watch"] = inForce): string[] =>
  reconcile(given, { holder, place: PLACE, watch }).map(({ kind, receipt }) => `${kind} ${receipt ?? ""}`.trim());

describe("an access ledger", () => {
  it("keeps receipts signed, numbered and chained, over a restart, sealed", async () => {
    const rows = new PaperRows();
    await ledgerOf(rows).write(released);
    const again = ledgerOf(new PaperRows(rows.rows));
    await Promise.all([again.write(released), again.write(released)]);
    const { receipts } = again;
    expect(receipts.map(({ number }) => number)).to.deep.equal([0, 1, 2]);
    expect(receipts.every(isSigned)).to.equal(true);
    expect(receipts[2]?.previous).to.equal(receiptDigest(receipts[1] as Receipt));
    for (const secretText of [grantee.slice(2), id.slice(2), holder.slice(2), "released"])
      expect(rows.text.includes(Buffer.from(secretText).toString("hex"))).to.equal(false);
  });

  it("does not go back in time when the clock does", async () => {
    const rows = new PaperRows();
    await ledgerOf(rows, T).write(released);
    const later = await ledgerOf(new PaperRows(rows.rows), T - 600).write(released);
    expect(later.at).to.equal(T);
  });

  it("writes nothing half when the disk fails, and goes on after", async () => {
    const rows = new PaperRows();
    const ledger = ledgerOf(rows);
    const apply = rows.apply.bind(rows);
    rows.apply = () => Promise.reject(new Error("disk full"));
    const failed = await ledger.write(released).catch((error: Error) => error.message);
    expect(failed).to.equal("disk full");
    rows.apply = apply;
    expect((await ledger.write(released)).number).to.equal(0);
  });
});

describe("an accounting of disclosures, compared with the chain", () => {
  it("has no difference when everything is as it should be, and stands what an auditor reads", async () => {
    const given = accounting(await written());
    expect(found(given)).to.deep.equal([]);
    expect(found(parseAccounting(formatAccounting(given)))).to.deep.equal([]);
  });

  it("names every receipt that was altered, left out, put in, exchanged or signed by another", async () => {
    const receipts = await written();
    for (const [i, receipt] of receipts.entries()) {
      const altered = receipts.with(i, { ...receipt, at: receipt.at + 1 });
      expect(found(accounting(altered)), `altered ${i}`).to.include(`forged ${i}`);
      const without = found(accounting(receipts.toSpliced(i, 1), 0));
      expect(without, `without ${i}`).to.deep.equal(
        i === 3 ? [] : [`broken ${i + 1}`, ...receipts.slice(i + 2).map(({ number }) => `broken ${number}`)],
      );
      const twice = found(accounting(receipts.toSpliced(i, 0, receipt)));
      expect(twice, `twice ${i}`).to.include(`broken ${i}`);
    }
    const [first] = receipts as [Receipt];
    const { format: _f, version: _v, chainId: _c, registry: _r, signature: _s, ...fields } = first;
    const stranger = await signReceipt(wallet.signer(5), PLACE, fields);
    expect(found(accounting([stranger]))).to.include("forged 0");
    const elsewhere = await signReceipt(signer, { ...PLACE, chainId: 1 }, fields);
    expect(found(accounting([elsewhere]))).to.include("forged 0");
  });

  it("says when the accounting is of another holder, even with nothing in it", () => {
    const other = wallet.signer(5).address as Hex;
    const empty = { ...accounting([], 0), consents: [], holder: other };
    expect(found(empty)).to.deep.equal(["forged"]);
    expect(found({ ...empty, holder })).to.deep.equal([]);
  });

  it("says when keys went out while the consent was not in force, or outside its period", async () => {
    const given = accounting(await written());
    expect(found(given, { intervals: () => [] })).to.deep.equal(["not-in-force 0", "not-in-force 3"]);
    expect(found(given, { intervals: () => [{ from: T + 1 }] })).to.deep.equal(["not-in-force 0", "not-in-force 3"]);
    expect(found(given, { intervals: () => [{ from: 0, until: T }] })).to.deep.equal([
      "not-in-force 0",
      "not-in-force 3",
    ]);
    const before = ledgerOf(new PaperRows(), periodStart - 1);
    await before.write(released);
    expect(found(accounting(before.receipts, 0), { intervals: () => [{ from: 0 }] })).to.deep.equal(["not-in-force 0"]);
  });

  it("says when keys were released and no receipt says so, or one is about something else", async () => {
    const receipts = await written();
    expect(found(accounting([]))).to.deep.equal(["no-receipt"]);
    // The tail was cut off: the vault knows of a later release.
    expect(found(accounting(receipts, T + 60))).to.deep.equal(["no-receipt"]);
    const leased = { ...accounting(receipts), consents: [{ name: "Gateway", consent, releasedAt: 0, leasedAt: T }] };
    expect(found(leased)).to.deep.equal(["no-receipt"]);
    expect(found({ ...accounting(receipts), consents: [] })).to.deep.equal(["unknown-consent 0", "unknown-consent 3"]);
    const ledger = ledgerOf(new PaperRows());
    await ledger.write({ ...released, dataEnd: dataEnd + 3600 });
    await ledger.write({ ...released, grantee: holder });
    expect(found(accounting(ledger.receipts, T))).to.deep.equal(["other-terms 0", "other-terms 1"]);
  });

  it("reads nothing that is not of its format", async () => {
    const given = accounting(await written());
    const bad: readonly [string, unknown][] = [
      ["no object", []],
      ["another version", { ...given, version: 2 }],
      ["a key too many", { ...given, note: "" }],
      ["no holder", { ...given, holder: "me" }],
      ["receipts that are none", { ...given, receipts: [{}] }],
      ["a receipt with a key more", { ...given, receipts: [{ ...given.receipts[0], note: "" }] }],
      ["a reason in words", { ...given, receipts: [{ ...given.receipts[0], reason: "he asked nicely" }] }],
      ["an unknown act", { ...given, receipts: [{ ...given.receipts[0], act: "sold" }] }],
      ["a consent that is null", { ...given, consents: [null] }],
      [
        "a consent without a document",
        { ...given, consents: [{ name: "x", consent: null, releasedAt: 0, leasedAt: 0 }] },
      ],
      [
        "another sentence",
        { ...given, consents: [{ ...given.consents[0], consent: { ...consent, statement: "I allow all" } }] },
      ],
    ];
    for (const [what, value] of bad) {
      let code = "";
      try {
        parseAccounting(JSON.stringify(value));
      } catch (error) {
        code = (error as { code: string }).code;
      }
      expect(code, what).to.match(/^ERR_(RECEIPT|STATEMENT_DIFFERS|CONSENT_INVALID)$/);
    }
    expect(() => parseAccounting("{")).to.throw("not JSON");
    expect(checkReceipt(given.receipts[0])).to.equal(given.receipts[0]);
  });
});
