import { expect } from "chai";
import fc from "fast-check";
import { holesOf, withEpoch, type Span } from "../../../src/gateway/spans.ts";

describe("the epochs that have a header", () => {
  it("are kept as spans, in whatever order they come, and the holes are what lies between", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1 }), (epochs) => {
        const spans = epochs.reduce<readonly Span[]>(withEpoch, []);
        const all = (list: readonly Span[]): number[] =>
          list.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
        const written = [...new Set(epochs)].sort((a, b) => a - b);
        expect(all(spans)).to.deep.equal(written);
        expect(spans.every(([, to], i) => to < (spans[i + 1]?.[0] ?? Infinity))).to.equal(true);
        const between = all([[written[0]!, written.at(-1)! + 1]]).filter((epoch) => !written.includes(epoch));
        expect(all(holesOf(spans))).to.deep.equal(between);
      }),
    );
  });
});
