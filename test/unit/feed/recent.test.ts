import { expect } from "chai";
import { MOST, RecentRows } from "../../../src/feed/recent.ts";
import type { Row } from "../../../src/feed/state.ts";

describe("rows that came a moment ago", () => {
  const row: Row = [
    {
      device: "m",
      counter: 1,
      groups: [],
      seen: { digest: "d", place: 0, received: 1, sent: undefined, skew: undefined, quarantined: 0 },
    },
  ];

  it("are given once", () => {
    const recent = new RecentRows();
    recent.add(7, row, 100);
    expect(recent.take(7)).to.equal(row);
    expect(recent.take(7)).to.equal(undefined);
  });

  it("are no more bytes than fit, and there is room again for each that was taken, and after all were let go of", () => {
    const recent = new RecentRows();
    const held = (from: number): number =>
      Array.from({ length: 100 }, (_, i) => recent.take(from + i)).filter((one) => one).length;
    for (const from of [0, 100]) {
      for (let i = 0; i < 100; i++) recent.add(from + i, row, MOST / 64);
      expect(held(from)).to.equal(64);
    }
    for (let i = 200; i < 300; i++) recent.add(i, row, MOST / 64);
    recent.clear();
    expect(recent.take(200)).to.equal(undefined);
    recent.add(300, row, MOST);
    expect(held(300)).to.equal(1);
  });
});
