import { expect } from "chai";
import fc from "fast-check";
import { evaluate } from "../../../src/alerts/evaluate.ts";
import { INT64_MAX, KINDS, type Rule } from "../../../src/alerts/rule.ts";
import { REPORTS, START, type Observation, type Result, type State } from "../../../src/alerts/state.ts";
import { BEGIN, SECOND, heartRate, ruleOf, say, value } from "./samples.ts";

const at = (seconds: number): number => BEGIN + seconds * SECOND;

/** Values at one a second, and whether there is an alert after each. */
const alertsOver = (rule: Rule, values: readonly number[]): readonly boolean[] =>
  values.map(
    (_, i) =>
      evaluate(
        rule,
        START,
        values.slice(0, i + 1).map((one, second) => value(at(second), one)),
      ).state.active,
  );

const resultOf = (rule: Rule, ...observations: Observation[]): Result => evaluate(rule, START, observations).result;

/** Observations of a rule with gaps around its edges. */
const timed = (rule: Rule): fc.Arbitrary<Observation[]> =>
  fc
    .array(
      fc.record({
        gap: fc.constantFrom(0, 1, 999, 1000, 5000, 9999, 10_000, 10_001, 29_999, 30_000, 60_000),
        report: fc.constantFrom(...REPORTS, "value" as const, "value" as const, "value" as const),
        input: fc.nat(rule.inputs.length - 1),
        mantissa: fc.integer({ min: 95, max: 145 }).map(BigInt),
      }),
      { maxLength: 30 },
    )
    .map((list) => {
      let time = BEGIN;
      return list.map(({ gap, ...rest }) => ({ ...rest, time: (time += gap), scale: 0 }));
    });

const RULES = KINDS.map((kind) =>
  ruleOf(kind, kind === "absence" ? {} : { trigger: { raiseAfter: 2000, clearAfter: 3000 } }),
);
const anyRun = fc.constantFrom(...RULES).chain((rule) => fc.tuple(fc.constant(rule), timed(rule)));

describe("evaluation of a rule", () => {
  it("begins an alert at its threshold and ends it beyond the hysteresis", () => {
    const rule = ruleOf("threshold", { trigger: { threshold: 120n, hysteresis: 5n } });
    expect(alertsOver(rule, [119, 120, 119, 116, 115, 114, 119])).to.deep.equal([
      false,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("begins an alert from above too", () => {
    const rule = ruleOf("threshold", { trigger: { comparator: "atMost", threshold: 90n, hysteresis: 2n } });
    expect(alertsOver(rule, [91, 90, 92, 93])).to.deep.equal([false, true, true, false]);
  });

  it("waits until the value has been beyond the threshold for long enough, without a break", () => {
    const rule = ruleOf("threshold", { trigger: { raiseAfter: 3 * SECOND, clearAfter: 2 * SECOND } });
    const alerts = alertsOver(rule, [125, 125, 119, 125, 125, 125, 125, 119, 125, 119, 119, 119]);
    const [off, on] = [false, true];
    expect(alerts).to.deep.equal([off, off, off, off, off, off, on, on, on, on, on, off]);
  });

  it("holds a value until the next: the duration is over when the next one comes, whatever it is", () => {
    const rule = ruleOf("threshold", { trigger: { raiseAfter: 3 * SECOND } });
    const { state } = evaluate(rule, START, [value(at(0), 125), value(at(3), 119)]);
    expect(state).to.include({ active: false, alerts: 1, changedAt: at(3) });
    const short = evaluate(rule, START, [value(at(0), 125), value(at(3) - 1, 119)]);
    expect(short.state.alerts).to.equal(0);
  });

  it("says exactly when an alert began and ended, whenever it was noticed", () => {
    const rule = ruleOf("threshold", { trigger: { raiseAfter: 3 * SECOND } });
    const raised = evaluate(rule, START, [value(at(0), 125), say(at(9), "clock")]).state;
    expect(raised).to.include({ active: true, changedAt: at(3), alerts: 1 });
    const silent = evaluate(ruleOf("absence"), START, [value(at(0), 70), say(at(3600), "clock")]).state;
    expect(silent).to.include({ active: true, changedAt: at(30), alerts: 1 });
  });

  it("counts k of the last n values", () => {
    const alerts = alertsOver(ruleOf("count"), [125, 70, 125, 70, 70, 125, 125, 70, 125, 70, 70]);
    const [off, on] = [false, true];
    // Three of five at 120 or more: after the seventh value (125 70 70 125 125), until the tenth has left two.
    expect(alerts).to.deep.equal([off, off, off, off, off, off, on, off, on, on, off]);
  });

  it("takes a rate over its window, whatever the sampling rate, and none before the values span enough", () => {
    const rule = ruleOf("rate");
    const rising = (step: number): readonly Observation[] =>
      Array.from({ length: 61_000 / step }, (_, i) =>
        value(BEGIN + i * step, 700 + Math.floor((i * step) / 100), 0, 1),
      );
    for (const step of [4, 1000]) {
      const { result, state } = evaluate(rule, START, rising(step));
      expect(result, `every ${step} ms`).to.include({ measured: true, measure: 60n });
      expect(state.history.length).to.be.at.most(64);
    }
    expect(resultOf(rule, value(at(0), 70), value(at(9), 90))).to.include({ status: "waiting", measured: false });
  });

  it("compares two sensors only when they were read together: 2.22 °C between left and right foot", () => {
    const foot = { ...heartRate, unit: "Cel", digits: 2, maxAge: 3600 * SECOND };
    const rule = ruleOf("difference", { inputs: [foot, foot], window: 60 * SECOND, trigger: { threshold: 222n } });
    expect(resultOf(rule, value(at(0), 3150, 0, 2), value(at(1), 2929, 1, 2))).to.include({
      measure: 221n,
      active: false,
    });
    expect(resultOf(rule, value(at(0), 3150, 0, 2), value(at(1), 2928, 1, 2))).to.include({
      measure: 222n,
      active: true,
    });
    expect(resultOf(rule, value(at(0), 2928, 0, 2), value(at(1), 3150, 1, 2))).to.include({
      measure: 222n,
      active: true,
    });
    expect(resultOf(rule, value(at(0), 3150, 0, 2), value(at(61), 2928, 1, 2))).to.include({ status: "waiting" });
  });

  it("tells no data, a paused consent, a retired device and an announced absence from each other", () => {
    const rule = ruleOf("threshold");
    const after = (...observations: Observation[]): string => resultOf(rule, value(at(0), 70), ...observations).status;
    expect(after(say(at(10), "clock"))).to.equal("available");
    expect(after(say(at(11), "clock"))).to.equal("noData");
    expect(after(say(at(1), "missing"))).to.equal("missing");
    expect(after(say(at(1), "missing"), say(at(11), "clock"))).to.equal("noData");
    for (const report of ["consentPaused", "deviceRetired", "announcedOffline"] as const) {
      expect(after(say(at(1), report), say(at(999), "clock"))).to.equal(report);
      expect(after(say(at(1), report), say(at(2), "resumed"))).to.equal("waiting");
      expect(after(say(at(1), report), say(at(2), "resumed"), say(at(13), "clock"))).to.equal("noData");
    }
    expect(resultOf(rule, say(at(0), "clock")).status).to.equal("waiting");
  });

  it("hears a device that was announced offline as soon as it speaks, and no value that must not come", () => {
    const rule = ruleOf("threshold");
    const spoken = (report: "announcedOffline" | "deviceRetired" | "consentPaused"): Result =>
      resultOf(rule, say(at(0), report), value(at(5), 130));
    expect(spoken("announcedOffline")).to.include({ status: "available", active: true });
    expect(spoken("deviceRetired")).to.include({ status: "deviceRetired", active: false });
    expect(spoken("consentPaused")).to.include({ status: "consentPaused", active: false });
  });

  it("finds silence by the clock, also when nothing was ever heard, and ends it with the first value", () => {
    const rule = ruleOf("absence");
    const never = evaluate(rule, START, [say(at(0), "clock"), say(at(30), "clock")]);
    expect(never.result).to.include({ active: true, measure: 30_000n });
    expect(evaluate(rule, never.state, [value(at(31), 70)]).result).to.include({ active: false });
    // What the source marks missing is no data.
    const marked = Array.from({ length: 30 }, (_, i) => say(at(i + 1), "missing"));
    expect(resultOf(rule, value(at(0), 70), ...marked)).to.include({ active: true });
  });

  it("lets no alert vanish because data went missing or was paused", () => {
    for (const report of ["missing", "deviceRetired", "consentPaused", "announcedOffline"] as const) {
      const seen = [value(at(0), 130), say(at(1), report), say(at(9999), "clock")];
      expect(resultOf(ruleOf("threshold"), ...seen)).to.include({ measured: false, active: true });
    }
  });

  it("bridges a value marked missing, but not silence, when it counts a duration", () => {
    const rule = ruleOf("threshold", { trigger: { raiseAfter: 8 * SECOND } });
    const bridged = [value(at(0), 130), say(at(4), "missing"), value(at(8), 130)];
    expect(resultOf(rule, ...bridged).active).to.equal(true);
    const broken = [value(at(0), 130), say(at(4), "missing"), value(at(11), 130), value(at(18), 130)];
    expect(resultOf(rule, ...broken).active).to.equal(false);
  });

  it("takes a value outside of all bands for missing, never for 0", () => {
    const rule = ruleOf("score", {
      inputs: [{ ...heartRate, bands: [{ low: 120n, high: INT64_MAX, score: 1 }] }],
    });
    expect(resultOf(rule, value(at(0), 119))).to.include({ status: "missing", measured: false });
  });

  it("refuses what is older than the state and what is of no input", () => {
    const { state } = evaluate(ruleOf("threshold"), START, [value(at(5), 70)]);
    const refusal = (from: State, observation: Observation) => () => evaluate(ruleOf("threshold"), from, [observation]);
    expect(refusal(state, value(at(4), 70)))
      .to.throw()
      .with.property("code", "ERR_OUT_OF_ORDER");
    expect(refusal(START, value(0, 70)))
      .to.throw()
      .with.property("code", "ERR_OUT_OF_ORDER");
    expect(refusal(START, value(at(0), 70, 1)))
      .to.throw()
      .with.property("code", "ERR_NOT_OF_RULE");
    expect(refusal(START, value(at(0), 70, 0, 19)))
      .to.throw()
      .with.property("code", "ERR_NOT_OF_RULE");
  });

  it("does not depend on how the observations are cut into parts", () => {
    fc.assert(
      fc.property(anyRun, fc.nat(30), ([rule, observations], cut) => {
        const whole = evaluate(rule, START, observations);
        const first = evaluate(rule, START, observations.slice(0, cut));
        expect(evaluate(rule, first.state, observations.slice(cut))).to.deep.equal(whole);
      }),
    );
  });

  it("does not depend on how often somebody looks at the clock", () => {
    fc.assert(
      fc.property(anyRun, fc.array(fc.nat(400_000), { maxLength: 40 }), ([rule, observations], looks) => {
        const [first, last] = [observations[0]?.time ?? 0, observations.at(-1)?.time ?? 0];
        const clocks = looks.map((look) => say(first + look, "clock")).filter(({ time }) => time > 0 && time <= last);
        const all = [...observations, ...clocks].map((one, i) => ({ one, i }));
        all.sort((a, b) => a.one.time - b.one.time || a.i - b.i);
        const looked = evaluate(
          rule,
          START,
          all.map(({ one }) => one),
        );
        expect(looked).to.deep.equal(evaluate(rule, START, observations));
      }),
      { numRuns: 500 },
    );
  });
});
