import fc from "fast-check";
import { Wallet, getAddress } from "ethers";
import { hex0x } from "../../../src/bytes/bytes.ts";
import { ACTION_NAMES } from "../../../src/consent/actions.ts";
import { LAST_TIME, type Consent, type Hex } from "../../../src/consent/consent.ts";
import { draftConsent, type ConsentWish } from "../../../src/consent/draft.ts";

export const patient = new Wallet(`0x${"11".repeat(32)}`);
export const clinician = new Wallet(`0x${"22".repeat(32)}`);
export const streamA: Hex = `0x${"a1".repeat(32)}`;
export const streamB: Hex = `0x${"b2".repeat(32)}`;

export const FEBRUARY = 1_769_904_000; // 2026-02-01
export const MARCH = 1_772_323_200; // 2026-03-01
export const APRIL = 1_775_001_600; // 2026-04-01

export const wish: ConsentWish = {
  grantor: patient.address,
  grantee: clinician.address,
  streams: [streamA],
  purpose: "TREAT",
  dataStart: FEBRUARY,
  dataEnd: MARCH,
  periodStart: FEBRUARY,
  periodEnd: APRIL,
  actions: ["READ", "AUDIT"],
};

export const sample = (change: Partial<ConsentWish> = {}): Consent => draftConsent({ ...wish, ...change });

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(hex0x);
const address = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => getAddress(hex0x(bytes)));
const window = fc.uniqueArray(fc.integer({ min: 0, max: LAST_TIME }), { minLength: 2, maxLength: 2 }).map((times) => {
  const [start, end] = times.sort((a, b) => a - b);
  return [start, end] as [number, number];
});

/** Any consent that can be drawn up. */
export const anyConsent: fc.Arbitrary<Consent> = fc
  .record({
    grantor: address,
    grantee: address,
    streams: fc.uniqueArray(
      bytes32.filter((id) => BigInt(id) !== 0n),
      { minLength: 1, maxLength: 6 },
    ),
    purpose: fc.constantFrom("TREAT", "ETREAT", "HPAYMT", "PATRQT", "HRESCH", "HRESCH+DUO:0000006+DUO:0000046"),
    data: window,
    period: window,
    actions: fc.subarray([...ACTION_NAMES], { minLength: 1 }),
    parent: fc.option(bytes32, { nil: undefined }),
    salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ data, period, parent, salt, ...rest }) =>
    draftConsent(
      {
        ...rest,
        dataStart: data[0],
        dataEnd: data[1],
        periodStart: period[0],
        periodEnd: period[1],
        ...(parent && { parent }),
      },
      () => salt,
    ),
  );
