import { expect } from "chai";
import fc from "fast-check";
import { valueTicks } from "../../../src/report/axis.ts";
import { chart } from "../../../src/report/chart.ts";
import { figuresOf, seriesOf, type Recorded } from "../../../src/report/series.ts";
import { joined, split } from "../../../src/report/span.ts";
import { length, timesIn } from "../../../src/report/zone.ts";
import { at, EPOCH, epochs, HEART_RATE, START } from "./samples.ts";

const recorded = (change: Partial<Recorded> = {}): Recorded => ({
  window: { from: START, to: START + 600 },
  now: START + 86_400,
  epochLength: EPOCH,
  covered: epochs(0, 10),
  unverified: [],
  ...change,
});
const seconds = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => at(HEART_RATE, from + i, String(60 + ((from + i) % 10))));
const gaps = (observations: Parameters<typeof seriesOf>[1], change: Partial<Recorded> = {}): string[] =>
  seriesOf(HEART_RATE, observations, recorded(change)).gaps.map(
    ({ from, to, kind }) => `${from - START}-${to - START} ${kind}`,
  );

describe("what a page makes of readings", () => {
  it("finds no gap where readings come at their usual step, and one where they do not", () => {
    expect(gaps(seconds(0, 600))).to.deep.equal([]);
    expect(gaps([...seconds(0, 100), ...seconds(160, 600)])).to.deep.equal(["99-160 silent"]);
    const sparse = [0, 120, 240, 480].map((i) => at(HEART_RATE, i, "70"));
    expect(gaps(sparse)).to.deep.equal([]);
  });

  it("tells nothing measured from no record, and both from what is not verified", () => {
    const cut = { covered: [...epochs(0, 3), ...epochs(5, 10)], unverified: epochs(6, 7) };
    expect(gaps([...seconds(0, 150), ...seconds(450, 600)], cut)).to.deep.equal([
      "149-180 silent",
      "180-300 unrecorded",
      "300-360 silent",
      "360-420 unverified",
      "420-450 silent",
    ]);
  });

  it("looks to the ends of the window, and not beyond now", () => {
    expect(gaps(seconds(60, 120))).to.deep.equal(["0-60 silent", "119-600 silent"]);
    expect(gaps(seconds(60, 120), { now: START + 121 })).to.deep.equal(["0-60 silent"]);
    expect(gaps([])).to.deep.equal(["0-600 silent"]);
    expect(gaps([], { covered: [], now: START - 1 })).to.deep.equal([]);
  });

  it("counts what is missing and not verified, and leaves it out of the figures", () => {
    const absent = at(HEART_RATE, 5, { kind: "missing", reason: "not-a-number", source: "NaN" });
    const observations = [at(HEART_RATE, 1, "70.0"), at(HEART_RATE, 2, "200"), at(HEART_RATE, 61, "74.5"), absent];
    const series = seriesOf(HEART_RATE, observations, recorded());
    const figures = figuresOf(series, [{ from: START + 2, to: START + 3 }]);
    expect(figures).to.deep.include({ readings: 3, unverified: 1, missing: 1, mean: "72.25" });
    expect([figures.lowest?.text, figures.highest?.text]).to.deep.equal(["70.0", "74.5"]);
  });

  it("draws samples, booleans and bounds, and nothing that is no number", () => {
    const wave = {
      origin: "2",
      period: "500",
      factor: "0.5",
      lowerLimit: "",
      upperLimit: "",
      dimensions: 1,
      data: "0 2 E 4",
    };
    const observations = [
      at(HEART_RATE, 10, { kind: "sampled", sampled: wave }),
      at(HEART_RATE, 20, { kind: "boolean", value: true }),
      at(HEART_RATE, 30, { kind: "quantity", decimal: "5", comparator: ">=" }),
      at(HEART_RATE, 40, "1e400"),
    ];
    const { points } = seriesOf(HEART_RATE, observations, recorded());
    expect(points.map(({ at: time, value }) => [time - START, value])).to.deep.equal([
      [10, 2],
      [10.5, 3],
      [11.5, 4],
      [20, 1],
      [30, 5],
    ]);
    expect(points.at(-1)?.text).to.equal(">=5");
  });

  it("keeps every peak, lifts the line over gaps, and draws no coordinate that is none", () => {
    const observations = [...seconds(0, 100), at(HEART_RATE, 100, "181"), ...seconds(101, 300), ...seconds(400, 600)];
    const series = seriesOf(HEART_RATE, observations, recorded());
    const options = { title: "", description: "", shown: { from: START, to: START + 86_400 }, alerts: [] };
    const drawn = chart(series, { id: "x", ...options, times: timesIn("UTC"), unverified: [] }).text;
    const [, path = ""] = / d="(M[^"]+)" fill="none" class="trace"/.exec(drawn) ?? [];
    const heights = [...path.matchAll(/[ML][\d.]+ ([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights.filter((y) => y < 50)).to.have.length(1);
    expect(path.match(/M/g)).to.have.length(2);
    expect(drawn).to.not.match(/NaN|Infinity|undefined/);
  });

  it("has round ticks around whatever values there are", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }),
        fc.double({ noNaN: true, min: 0, max: 1e15 }),
        (low, more) => {
          const ticks = valueTicks(low, low + more);
          const [first, last] = [ticks[0]?.at ?? NaN, ticks.at(-1)?.at ?? NaN];
          const near = 1e-9 * Math.max(1, Math.abs(low), Math.abs(low + more));
          return (
            ticks.length >= 2 && ticks.length <= 12 && last > first && first <= low + near && last >= low + more - near
          );
        },
      ),
    );
  });

  it("splits a span into what lies inside others and what does not", () => {
    const some = fc.array(fc.tuple(fc.nat(100), fc.nat(20)).map(([from, more]) => ({ from, to: from + more + 1 })));
    fc.assert(
      fc.property(some, fc.nat(100), fc.nat(60), (others, from, more) => {
        const span = { from, to: from + more + 1 };
        const { inside, outside } = split(span, joined(others));
        const whole = joined([...inside, ...outside]);
        const isIn = (at: number): boolean => others.some((one) => at >= one.from && at < one.to);
        return (
          whole.length === 1 &&
          whole[0]?.from === span.from &&
          whole[0].to === span.to &&
          inside.every(({ from: at }) => isIn(at)) &&
          outside.every(({ from: at }) => !isIn(at))
        );
      }),
    );
  });

  it("says lengths and times shortly", () => {
    expect([0, 59, 76, 3600, 90_061].map(length)).to.deep.equal([
      "0\u00a0s",
      "59\u00a0s",
      "1\u00a0min\u00a016\u00a0s",
      "1\u00a0h",
      "1\u00a0d\u00a01\u00a0h",
    ]);
    const times = timesIn("Asia/Kolkata");
    expect(times.both(START)).to.equal("2026-03-01 13:30:00 +05:30 (08:00:00 UTC)");
    expect(times.span(START, START + 86_400)).to.equal(
      "2026-03-01 13:30:00 to 2026-03-02 13:30:00 +05:30 (08:00:00 to 2026-03-02 08:00:00 UTC)",
    );
  });
});
