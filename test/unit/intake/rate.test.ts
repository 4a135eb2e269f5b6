import { expect } from "chai";
import { EPOCH_LENGTHS, epochLengthFor, epochLengthForAtLeast, rateEstimator } from "../../../src/intake/rate.ts";
import type { Observation } from "../../../src/observation/observation.ts";

const observation = (seconds: number, code = "8867-4"): Observation => ({
  channel: { code: { system: "http://loinc.org", code }, unit: "/min" },
  time: new Date(Date.UTC(2026, 2, 1) + seconds * 1000).toISOString(),
  status: "final",
  value: { kind: "quantity", decimal: "72", comparator: "" },
});

function estimate(seconds: readonly number[], codes = ["8867-4"]): { period: number | undefined; span: number } {
  const estimator = rateEstimator();
  for (const at of seconds) for (const code of codes) estimator.see(observation(at, code));
  return { period: estimator.period(), span: estimator.span() };
}

describe("the sampling rate", () => {
  it("is the median step of a channel, whatever the number of channels and gaps", () => {
    expect(estimate([0, 1, 2, 3, 60, 61, 62], ["a", "b", "c"])).to.deep.equal({ period: 1, span: 62 });
    expect(estimate([0, 300, 601, 900, 1200, 9000])).to.deep.equal({ period: 300, span: 9000 });
    expect(estimate([0, 0.008, 0.016]).period?.toFixed(6)).to.equal("0.008000");
  });

  it("is unknown for one reading or none", () => {
    expect(estimate([5])).to.deep.equal({ period: undefined, span: 0 });
    expect(estimate([])).to.deep.equal({ period: undefined, span: 0 });
  });

  it("gives the epoch's length", () => {
    const expected: [period: number | undefined, length: number][] = [
      [1, 3600],
      [0.998, 3600],
      [300, 86_400],
      [60, 86_400],
      [59, 3600],
      [0.1, 3600],
      [0.008, 60],
      [0.01, 600],
      [0.001, 60],
      [86_400 * 7, 86_400],
      [undefined, 3600],
    ];
    expect(expected.map(([period]) => epochLengthFor(period))).to.deep.equal(expected.map(([, length]) => length));
  });

  it("gives a length of which a span holds eight", () => {
    expect(epochLengthForAtLeast(480)).to.equal(60);
    expect(epochLengthForAtLeast(479)).to.equal(30);
    expect(epochLengthForAtLeast(599)).to.equal(60);
    expect(epochLengthForAtLeast(8.9 * 86_400)).to.equal(86_400);
    expect(epochLengthForAtLeast(7.9 * 86_400)).to.equal(43_200);
    expect(epochLengthForAtLeast(12)).to.equal(1);
    expect(epochLengthForAtLeast(0)).to.equal(1);
    expect(epochLengthForAtLeast(480, 4)).to.equal(120);
  });

  it("is of lengths that rise and divide a day", () => {
    expect(EPOCH_LENGTHS.filter((length) => 86_400 % length !== 0)).to.deep.equal([]);
    expect([...EPOCH_LENGTHS]).to.deep.equal(EPOCH_LENGTHS.toSorted((a, b) => a - b));
  });
});
