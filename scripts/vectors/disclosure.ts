import type { Hex } from "../../src/consent/consent.ts";
import { consentId, NO_PARENT } from "../../src/consent/consent.ts";
import { NOBODY, receiptDigest, signReceipt, type Disclosure } from "../../src/disclosure/receipt.ts";
import { at, patient, readConsent, START } from "./samples.ts";
import { bad, good, type Suite } from "./suite.ts";

/** Receipts of an access ledger, as text, with the digest that is signed and that the next one names. */
export async function disclosureSuites(): Promise<Suite[]> {
  const { grantee, dataStart, dataEnd } = readConsent;
  const envelope: Hex = `0x${"5e".repeat(32)}`;
  const released = {
    act: "released",
    consent: consentId(readConsent),
    grantee,
    dataStart,
    dataEnd,
    envelopes: [envelope],
    reason: "",
  } as const;
  const holder = patient.address as Hex;
  const write = (disclosure: Disclosure, number = 0, previous = NO_PARENT) =>
    signReceipt(patient, at, { ...disclosure, holder, number, previous, at: START + number });
  const first = await write(released);
  const second = await write(
    { ...released, act: "denied", envelopes: [], reason: "ERR_RELEASE_REFUSED" },
    1,
    receiptDigest(first),
  );
  const third = await write(
    { act: "carried", ...NOBODY, envelopes: [envelope, envelope], reason: "" },
    2,
    receiptDigest(second),
  );
  const inputs = (receipt: object): object => ({ text: JSON.stringify(receipt) });
  const { reason: _reason, ...without } = first;
  return [
    {
      format: "receipt",
      section: 23,
      cases: [
        ...[first, second, third].map((receipt) =>
          good(`${receipt.act}, number ${receipt.number}`, inputs(receipt), receiptDigest(receipt)),
        ),
        good(
          "another order of keys",
          inputs(Object.fromEntries(Object.entries(first).reverse())),
          receiptDigest(first),
        ),
        bad("another time than signed", inputs({ ...first, at: START + 1 }), "ERR_RECEIPT"),
        bad("another envelope than signed", inputs({ ...first, envelopes: [NO_PARENT] }), "ERR_RECEIPT"),
        bad("another act than signed", inputs({ ...first, act: "leased" }), "ERR_RECEIPT"),
        bad("another holder than signed", inputs({ ...first, holder: grantee }), "ERR_RECEIPT"),
        bad("another chain than signed", inputs({ ...first, chainId: 1 }), "ERR_RECEIPT"),
        bad("an unknown act", inputs({ ...first, act: "sold" }), "ERR_RECEIPT"),
        bad("a reason in words", inputs({ ...first, reason: "none" }), "ERR_RECEIPT"),
        bad("a key too many", inputs({ ...first, note: "" }), "ERR_RECEIPT"),
        bad("a key missing", inputs(without), "ERR_RECEIPT"),
        bad("version 2", inputs({ ...first, version: 2 }), "ERR_RECEIPT"),
        bad("a time as text", inputs({ ...first, at: String(START) }), "ERR_RECEIPT"),
      ],
    },
  ];
}
