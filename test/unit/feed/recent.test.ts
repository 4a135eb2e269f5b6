import { expect } from "chai";
import { RecentRows } from "../../../src/feed/recent.ts";
import type { Row } from "../../../src/feed/state.ts";
import type { Observation } from "../../../src/observation/observation.ts";

describe("rows that came a moment ago", () => {
  const row = (readings: number): Row => [
    {
      device: "m",
      counter: 1,
      groups: [{ write: "w", stream: "s", observations: new Array<Observation>(readings) }],
      seen: { digest: "d", place: 0, received: 1, sent: undefined, skew: undefined, quarantined: 0 },
    },
  ];

  it("are given once", () => {
    const recent = new RecentRows();
    const one = row(5);
    recent.add(7, one);
    expect(recent.take(7)).to.equal(one);
    expect(recent.take(7)).to.equal(undefined);
  });

  it("are no more than fit, and there is room again for each that was taken, and after all were let go of", () => {
    const recent = new RecentRows();
    for (let i = 0; i < 100; i++) recent.add(i, row(1023));
    const held = (from: number): number =>
      Array.from({ length: 100 }, (_, i) => recent.take(from + i)).filter((one) => one).length;
    expect(held(0)).to.equal(64);
    for (let i = 100; i < 200; i++) recent.add(i, row(1023));
    expect(held(100)).to.equal(64);
    for (let i = 200; i < 300; i++) recent.add(i, row(1023));
    recent.clear();
    expect(recent.take(200)).to.equal(undefined);
    recent.add(300, row(65_535));
    expect(held(300)).to.equal(1);
  });
});
