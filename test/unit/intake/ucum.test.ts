import { expect } from "chai";
import { unitCheck } from "../../../src/intake/ucum.ts";
import { LOINC, MDC, unitFitsCode, usualUnit } from "../../../src/intake/units-of-codes.ts";

describe("units", () => {
  const valid = ["/min", "%", "mg/dL", "mm[Hg]", "Cel", "1", "mV", "10*3/uL", "{score}", "[degF]"];
  const invalid = ["", "bpm", "mmHg", "MG/DL", "g m", "%\n", "Ω", "{x}33", "x".repeat(65), "("];
  const members = ["__proto__", "constructor", "toString", "constructor/L", "m.valueOf"];

  it("knows UCUM codes, case and all", () => {
    expect(valid.filter(unitCheck())).to.deep.equal(valid);
    expect(invalid.filter(unitCheck())).to.deep.equal([]);
  });

  it("takes no member of Object.prototype for a unit", () => {
    expect(members.filter(unitCheck())).to.deep.equal([]);
  });

  it("prints nothing of what it is asked", () => {
    const { log } = console;
    const printed: unknown[] = [];
    console.log = (...parts: unknown[]) => printed.push(parts);
    try {
      // The library trips over these and says so on stdout.
      for (const unit of ["()", "dL()", "{y}44", "kvalueOf"]) unitCheck()(unit);
    } finally {
      console.log = log;
    }
    expect(printed).to.deep.equal([]);
  });

  it("refuses a unit of another kind than the code, and leaves unknown codes alone", () => {
    const channel = (code: string, unit: string, system = LOINC): boolean =>
      unitFitsCode({ code: { system, code }, unit });
    expect(channel("99504-3", "mg/dL")).to.equal(true);
    expect(channel("99504-3", "mmol/L")).to.equal(false);
    expect(channel("15074-8", "mg/dL")).to.equal(false);
    expect(channel("8310-5", "%")).to.equal(false);
    expect(channel("149530", "%", MDC)).to.equal(false);
    expect(channel("8867-4", "%", "http://example.org")).to.equal(true);
  });

  it("has valid UCUM as the usual unit of every code it knows", () => {
    for (const code of ["8867-4", "8889-8", "9279-1", "59408-5", "2708-6", "8310-5", "8480-6", "99504-3", "15074-8"]) {
      expect(unitCheck()(usualUnit({ code: { system: LOINC, code } }) ?? ""), code).to.equal(true);
    }
    expect(usualUnit({ code: { system: LOINC, code: "1-1" } })).to.equal(undefined);
    const code = { system: LOINC, code: "85354-9" };
    expect(usualUnit({ code, component: { system: LOINC, code: "8480-6" } })).to.equal("mm[Hg]");
  });
});
