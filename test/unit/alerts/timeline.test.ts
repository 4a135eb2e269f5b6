import { expect } from "chai";
import fc from "fast-check";
import { evaluate } from "../../../src/alerts/evaluate.ts";
import { KINDS } from "../../../src/alerts/rule.ts";
import { START } from "../../../src/alerts/state.ts";
import { Timeline } from "../../../src/alerts/timeline.ts";
import { BEGIN, SECOND, ruleOf, say, value } from "./samples.ts";

const HOUR = 3600 * SECOND;
const at = (seconds: number): number => BEGIN + seconds * SECOND;

describe("timeline of a rule", () => {
  it("evaluates late and shuffled readings as if they had come in order", () => {
    const reading = fc.record({
      second: fc.nat(400),
      input: fc.nat(1),
      mantissa: fc.integer({ min: 95, max: 145 }),
      missing: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.array(reading, { minLength: 1, maxLength: 200 }), (kind, readings) => {
        const rule = ruleOf(kind, kind === "absence" ? {} : { trigger: { raiseAfter: 3000, clearAfter: 3000 } });
        const observations = readings.map(({ second, input, mantissa, missing }) => {
          const of = kind === "difference" ? input : 0;
          return missing ? say(at(second), "missing", of) : value(at(second), mantissa, of);
        });
        const asTheyCome = new Timeline(rule, HOUR);
        for (const one of observations) asTheyCome.add(one);
        const inOrder = new Timeline(rule, HOUR);
        for (const one of observations.toSorted((a, b) => a.time - b.time)) inOrder.add(one);
        expect(asTheyCome.state).to.deep.equal(inOrder.state);
        expect(asTheyCome.episodes).to.deep.equal(inOrder.episodes);
        expect(asTheyCome.episodes.length).to.equal(asTheyCome.state.alerts);
      }),
      { numRuns: 200 },
    );
  });

  it("agrees with one evaluation of all", () => {
    const rule = ruleOf("threshold", { trigger: { raiseAfter: 5000, hysteresis: 3n } });
    const observations = Array.from({ length: 1000 }, (_, i) => value(at(i), 110 + ((i * 7919) % 17)));
    const timeline = new Timeline(rule, HOUR);
    for (const one of observations) timeline.add(one);
    expect(timeline.state).to.deep.equal(evaluate(rule, START, observations).state);
  });

  it("finds an alert in a window that came late, and when it was", () => {
    const timeline = new Timeline(ruleOf("threshold", { trigger: { raiseAfter: 5 * SECOND } }), HOUR);
    const seconds = Array.from({ length: 200 }, (_, i) => i);
    const outage = (second: number): boolean => second >= 50 && second < 80;
    for (const i of seconds.filter((second) => !outage(second))) timeline.add(value(at(i), 70));
    expect(timeline.episodes).to.deep.equal([]);
    for (const i of seconds.filter(outage)) timeline.add(value(at(i), 130));
    expect(timeline.episodes).to.deep.equal([{ raisedAt: at(55), clearedAt: at(80) }]);
  });

  it("takes back an alert that a late reading shows to be none", () => {
    const timeline = new Timeline(ruleOf("absence"), HOUR);
    timeline.add(value(at(0), 70));
    timeline.add(value(at(40), 70));
    expect(timeline.episodes).to.deep.equal([{ raisedAt: at(30), clearedAt: at(40) }]);
    timeline.add(value(at(20), 70));
    expect(timeline.episodes).to.deep.equal([]);
  });

  it("hears silence by the clock and remembers nothing of having been asked", () => {
    const timeline = new Timeline(ruleOf("absence"), HOUR);
    timeline.add(value(at(0), 70));
    expect(timeline.at(at(29)).result).to.include({ active: false, status: "noData" });
    expect(timeline.at(at(30)).result).to.include({ active: true });
    timeline.add(value(at(10), 70));
    expect(timeline.at(at(30)).result).to.include({ active: false });
  });

  it("refuses a reading behind its bound, forgets what lies there, and keeps what is open", () => {
    const timeline = new Timeline(ruleOf("threshold"), 100 * SECOND);
    for (let i = 0; i < 1000; i++) timeline.add(value(at(i), 130));
    expect(timeline.episodes).to.deep.equal([{ raisedAt: at(0) }]);
    expect(() => timeline.add(value(at(899) - 1, 70)))
      .to.throw()
      .with.property("code", "ERR_TOO_LATE");
    timeline.add(value(at(899), 130));
    timeline.add(value(at(1000), 70));
    expect(timeline.episodes).to.deep.equal([{ raisedAt: at(0), clearedAt: at(1000) }]);
    expect(timeline.state.alerts).to.equal(1);
    for (let i = 1001; i < 1300; i++) timeline.add(value(at(i), 70));
    expect(timeline.episodes).to.deep.equal([]);
  });
});
