import { expect } from "chai";
import { flagsOf } from "../../../src/auditor/plausible.ts";
import type { Inspected } from "../../../src/auditor/window.ts";
import { bandOf, LOINC } from "../../../src/intake/units-of-codes.ts";
import { cidOf } from "../../../src/ipfs/cid.ts";
import type { Channel, Observation, Value } from "../../../src/observation/observation.ts";

const batch = new Uint8Array(32).fill(7);
const quantity = (decimal: string): Value => ({ kind: "quantity", decimal, comparator: "" });
const channel = (code: string, unit: string): Channel => ({ code: { system: LOINC, code }, unit });
const one = (code: string, unit: string, value: Value): Observation => ({
  channel: channel(code, unit),
  time: "2026-03-01T08:00:00Z",
  status: "final",
  value,
});
const flagged = (...observations: Observation[]): string[] => {
  const found = { entry: { batch } };
  const inspected = { found, chunks: [{ observations }] } as unknown as Inspected;
  const flags = flagsOf(inspected);
  for (const flag of flags) expect(flag.batch).to.equal(cidOf(batch));
  return flags.map(({ kind, code, unit, value }) => `${kind} ${code} ${value} ${unit}`);
};

describe("implausible readings", () => {
  it("are those outside what a body can have, its bounds included, each once", () => {
    expect(
      flagged(
        one("8867-4", "/min", quantity("0")),
        one("8867-4", "/min", quantity("400")),
        one("8867-4", "/min", quantity("400.5")),
        one("59408-5", "%", quantity("-1")),
        one("8310-5", "Cel", quantity("98.6")),
        one("8310-5", "[degF]", quantity("98.6")),
      ),
    ).to.deep.equal(["value 8867-4 400.5 /min", "value 59408-5 -1 %", "value 8310-5 98.6 Cel"]);
  });

  it("look at every sample, and name the first that is outside", () => {
    const sampled = { origin: "0", period: "1000", factor: "1", lowerLimit: "", upperLimit: "", dimensions: 1 };
    const rate = (data: string): Observation =>
      one("8867-4", "/min", { kind: "sampled", sampled: { ...sampled, data } });
    expect(flagged(rate("60 E 61"), rate("60 500 600"))).to.deep.equal(["value 8867-4 500 /min"]);
  });

  it("are those of a component by its code, and those whose unit does not fit", () => {
    const pressure = { ...one("85354-9", "mm[Hg]", quantity("900")) };
    const systolic = { ...pressure, channel: { ...pressure.channel, component: { system: LOINC, code: "8480-6" } } };
    expect(flagged(systolic, one("99504-3", "mmol/L", quantity("5")))).to.deep.equal([
      "value 8480-6 900 mm[Hg]",
      "unit 99504-3  mmol/L",
    ]);
  });

  it("are not judged of codes that nobody knows, of what is missing, nor without keys to read", () => {
    const missing: Value = { kind: "missing", reason: "unknown", source: "" };
    expect(flagged(one("1-8", "/min", quantity("1e9")), one("8867-4", "", missing))).to.deep.equal([]);
    expect(flagsOf({ chunks: undefined } as unknown as Inspected)).to.deep.equal([]);
    expect(bandOf(channel("8867-4", "constructor"))).to.equal(undefined);
  });
});
