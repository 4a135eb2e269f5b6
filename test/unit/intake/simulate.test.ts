import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { simulate, WARD_BED_7 } from "../../../examples/simulate.ts";
import { EXAMPLES, take } from "./support.ts";

const SAMPLE = join(EXAMPLES, "ward-bed-7.csv");

describe("the simulated sample", () => {
  it("comes out byte for byte", async () => {
    expect(simulate(WARD_BED_7)).to.equal(await readFile(SAMPLE, "utf8"));
    expect(simulate({ ...WARD_BED_7, seed: 8 })).not.to.equal(simulate(WARD_BED_7));
  });

  it("is read in full: six channels at 1 Hz for ten minutes, gaps missing", async () => {
    const taken = await take(SAMPLE);
    const gaps = (await readFile(SAMPLE, "utf8")).split("NaN").length - 1;
    expect(taken.quarantined).to.deep.equal([]);
    expect(taken.intake.channels?.length).to.equal(6);
    expect({ readings: taken.readings, missing: taken.missing }).to.deep.equal({
      readings: 3600 - gaps,
      missing: gaps,
    });
    expect(gaps).to.be.greaterThan(0);
  });

  it("stays within what a body does", async () => {
    const bounds: Record<string, [low: number, high: number]> = {
      "8867-4": [40, 160],
      "8889-8": [40, 160],
      "59408-5": [75, 100],
      "9279-1": [8, 40],
      "8310-5": [35, 40],
      "8478-0": [60, 130],
    };
    for (const { observation } of (await take(SAMPLE)).observations) {
      const { channel, value } = observation;
      if (value.kind !== "quantity") continue;
      const [low, high] = bounds[channel.code.code] ?? [NaN, NaN];
      expect(Number(value.decimal), channel.code.code).to.be.within(low, high);
    }
  });
});
