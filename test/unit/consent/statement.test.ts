import { expect } from "chai";
import fc from "fast-check";
import { NO_PARENT, type Consent, type ConsentFields } from "../../../src/consent/consent.ts";
import { ConsentInvalidError, StatementDiffersError } from "../../../src/consent/errors.ts";
import { isPurpose, purposeWords, PURPOSES } from "../../../src/consent/purpose.ts";
import { checkStatement, renderStatement } from "../../../src/consent/statement.ts";
import { anyConsent, clinician, FEBRUARY, MARCH, patient, sample, streamA, streamB } from "./samples.ts";

const field = (name: string) => (error: unknown) => error instanceof ConsentInvalidError && error.field === name;
function refuses(change: Partial<ConsentFields>, name: string): void {
  try {
    renderStatement({ ...sample(), ...change });
  } catch (error) {
    expect(field(name)(error), String(error)).to.be.true;
    return;
  }
  expect.fail(`rendered a statement with a wrong ${name}`);
}

describe("statement", () => {
  it("says in one sentence who may do what with which data, for what and until when", () => {
    expect(sample().statement).to.equal(
      `I, the holder of address ${patient.address}, allow the holder of address ${clinician.address} to read the data and ` +
        "check that the record is complete, without reading the values in it; " +
        `this covers only data of the stream or list of streams with the number ${streamA} ` +
        "that was measured at or after 2026-02-01 00:00:00 UTC and before 2026-03-01 00:00:00 UTC; " +
        "it is only for treating and caring for the person whose data it is (TREAT); " +
        "it may be used at or after 2026-02-01 00:00:00 UTC and before 2026-04-01 00:00:00 UTC, " +
        "and I can take it back at any time before that.",
    );
  });

  it("names the consent that is passed on, and that it ends with it", () => {
    const parent = `0x${"c3".repeat(32)}` as const;
    expect(sample({ parent }).statement).to.match(
      new RegExp(`; it passes on a permission given to me, with the number ${parent}, and ends when that one ends\\.$`),
    );
  });

  it("says what research terms mean, with their numbers", () => {
    expect(purposeWords("HRESCH+DUO:0000007=MONDO:0005148+DUO:0000046")).to.equal(
      "health research (HRESCH), only on the disease with the number MONDO:0005148 (DUO:0000007), " +
        "not for commercial use (DUO:0000046)",
    );
  });

  it("is refused when a single character of it, or a single field, was changed", () => {
    const consent = sample();
    const changed: Partial<Consent>[] = [
      { statement: consent.statement + " " },
      { statement: consent.statement.replace("2026-03-01", "2026-02-28") },
      { statement: "" },
      { grantee: patient.address as `0x${string}` },
      { scope: streamB },
      { purpose: "HPAYMT" },
      { dataStart: FEBRUARY - 1 },
      { dataEnd: MARCH + 1 },
      { periodStart: FEBRUARY + 1 },
      { periodEnd: MARCH },
      { actions: 127 },
      { parent: streamB },
    ];
    for (const change of changed) {
      expect(() => checkStatement({ ...consent, ...change }), JSON.stringify(change)).to.throw(StatementDiffersError);
    }
    checkStatement(consent);
  });

  it("is another one for every other set of fields", () => {
    fc.assert(
      fc.property(anyConsent, anyConsent, (a, b) => {
        const key = ({ salt: _salt, statement: _statement, ...fields }: Consent) => JSON.stringify(fields);
        expect(a.statement === b.statement).to.equal(key(a) === key(b));
        // Differing in one field only is the hard case.
        for (const name of ["grantor", "grantee", "scope", "purpose", "actions", "parent"] as const) {
          const mixed = { ...a, [name]: b[name] };
          expect(renderStatement(mixed) === a.statement).to.equal(a[name] === b[name]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("is not rendered for fields that make no consent", () => {
    refuses({ grantor: patient.address.toLowerCase() as `0x${string}` }, "grantor");
    refuses({ grantee: `0x${"0".repeat(40)}` }, "grantee");
    refuses({ scope: NO_PARENT }, "scope");
    refuses({ scope: `0x${"A1".repeat(32)}` }, "scope");
    refuses({ parent: "0x" }, "parent");
    refuses({ purpose: "" }, "purpose");
    refuses({ dataEnd: FEBRUARY }, "dataEnd");
    refuses({ periodEnd: FEBRUARY }, "periodEnd");
    refuses({ dataStart: 0.5 }, "dataStart");
    refuses({ dataStart: -1 }, "dataStart");
    refuses({ periodEnd: 2 ** 48 }, "periodEnd");
    refuses({ actions: 0 }, "actions");
    refuses({ actions: 128 }, "actions");
  });
});

describe("purpose of use", () => {
  it("is a known code, with data use terms in order behind research codes only", () => {
    for (const code of Object.keys(PURPOSES)) expect(isPurpose(code), code).to.be.true;
    for (const good of ["HRESCH+DUO:0000042", "CLINTRCH+DUO:0000006+DUO:0000046"])
      expect(isPurpose(good), good).to.be.true;
    const bad = ["", "treat", "TREAT ", "TREAT+DUO:0000042", "HRESCH+", "HRESCH+DUO:0000046+DUO:0000006", "toString"];
    bad.push("HRESCH+DUO:0000042+DUO:0000042", "HRESCH+DUO:9999999", "HRESCH+DUO:0000007", "HRESCH+DUO:42");
    bad.push("HRESCH+DUO:0000042=MONDO:0005148", "HRESCH+DUO:0000007=MONDO:51", "HRESCH+DUO:constructor");
    for (const purpose of bad) expect(isPurpose(purpose), purpose).to.be.false;
  });
});
