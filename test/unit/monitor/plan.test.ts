import { expect } from "chai";
import { ACTS, alertOf, responderOf, signAnswer } from "../../../src/monitor/answer.ts";
import { entryFromObservation, entryToObservation, type Entry } from "../../../src/monitor/entry.ts";
import { evaluate } from "../../../src/alerts/evaluate.ts";
import { Monitor } from "../../../src/alerts/monitor.ts";
import {
  alertName,
  checkSigned,
  formatPlan,
  parsePlan,
  planStatement,
  type CarePlan,
} from "../../../src/monitor/plan.ts";
import { isQuiet, quietUntil } from "../../../src/monitor/quiet.ts";
import { START } from "../../../src/alerts/state.ts";
import { digestOf, upTo } from "../../../src/monitor/statement.ts";
import { ALERTS_CHANNEL } from "../../../src/monitor/entry.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { decodeObservation, encodeObservation } from "../../../src/log/leaf.ts";
import { at, DOCTOR, MINUTE, NURSE, PATIENT, planOf, signedPlan } from "./plans.ts";
import { NEWS2_SCALE_1, ruleOf, value } from "../alerts/samples.ts";

const NIGHT = { from: 22 * 60, to: 7 * 60, zone: "Europe/Berlin" };
const PLAN = planOf([ruleOf("threshold"), NEWS2_SCALE_1], { quiet: NIGHT }, { criticalFrom: 3 });

describe("care plan", () => {
  it("has one text, which gives it back", () => {
    const text = formatPlan(PLAN);
    expect(parsePlan(text)).to.deep.equal(PLAN);
    for (const [from, to] of [
      ["{", "{ "],
      ['"version":2', '"version":3'],
      ['"patient":"Ann"', '"patient":"Ann","more":1'],
      ['"within":60000', '"within":"60000"'],
      ['"watches":[', '"watches":[null,'],
    ] as const) {
      expect(text).to.contain(from);
      expect(() => parsePlan(text.replace(from, to)), to).to.throw();
    }
  });

  it("stays as it was signed before responders were asked anew", async () => {
    const old = { ...PLAN, asksOnce: true } as const;
    const text = formatPlan(old);
    expect(text).to.equal(formatPlan(PLAN).replace('"version":2', '"version":1'));
    expect(parsePlan(text)).to.deep.equal(old);
    expect(planStatement(old)).to.not.include("anew");
    expect(planStatement(PLAN)).to.include("ask anew when an alert gets worse, and when it comes back unanswered");
    const signed = await signedPlan(old);
    checkSigned(signed, PATIENT.address as Hex);
    expect(() => checkSigned({ ...signed, plan: PLAN }, PATIENT.address as Hex)).to.throw();
  });

  it("is refused when an alert would reach nobody, or could not be stated", () => {
    const wrong: Partial<CarePlan>[] = [
      { watches: [] },
      { watches: PLAN.watches.map((watch) => ({ ...watch, responders: [] })) },
      { watches: PLAN.watches.map((watch) => ({ ...watch, responders: ["nobody"] })) },
      { watches: [...PLAN.watches, ...PLAN.watches] },
      { watches: PLAN.watches.map((watch) => ({ ...watch, lateness: 2 * MINUTE })) },
      { responders: [] },
      { period: 7000 },
      { within: 0 },
      { quiet: { ...NIGHT, zone: "Europe/Nowhere" } },
      { quiet: { ...NIGHT, to: NIGHT.from } },
      { id: "12" },
    ];
    for (const part of wrong)
      expect(() => formatPlan({ ...PLAN, ...part }), JSON.stringify(Object.keys(part)))
        .to.throw()
        .with.property("code", "ERR_PLAN_INVALID");
  });

  it("counts only as the patient signed it", async () => {
    const signed = await signedPlan(PLAN);
    checkSigned(signed, PATIENT.address as Hex);
    const others = { ...signed, plan: { ...PLAN, within: 2 * MINUTE } };
    for (const [one, by] of [
      [signed, NURSE.address],
      [others, PATIENT.address],
      [{ ...signed, write: `0x${"cd".repeat(32)}` }, PATIENT.address],
      [{ ...signed, signature: "0x" }, PATIENT.address],
    ] as const)
      expect(() => checkSigned(one, by as Hex))
        .to.throw()
        .with.property("code", "ERR_PLAN_INVALID");
  });

  it("says in a sentence what is signed", () => {
    expect(planStatement(PLAN)).to.match(
      /^Watch over Ann by test-threshold version 1: ask nurse, then doctor, each for 300 s/,
    );
    expect(planStatement(PLAN)).to.contain("critical from level 3").and.to.contain("22:00 to 07:00 Europe/Berlin");
  });
});

describe("quiet hours", () => {
  const utc = (text: string): number => Date.parse(text);

  it("are those of a clock on the wall, also in the nights in which it is put forward or back", () => {
    for (const [time, quiet] of [
      ["2026-01-15T20:59:59Z", false],
      ["2026-01-15T21:00:00Z", true],
      ["2026-01-16T05:59:59Z", true],
      ["2026-01-16T06:00:00Z", false],
      ["2026-07-15T20:00:00Z", true],
      ["2026-07-16T05:00:00Z", false],
    ] as const)
      expect(isQuiet(NIGHT, utc(time)), time).to.equal(quiet);
    expect(quietUntil(NIGHT, utc("2026-03-28T22:00:00Z"))).to.equal(utc("2026-03-29T05:00:00Z"));
    expect(quietUntil(NIGHT, utc("2026-10-24T22:00:00Z"))).to.equal(utc("2026-10-25T06:00:00Z"));
    expect(quietUntil(NIGHT, utc("2026-07-15T12:00:00Z"))).to.equal(utc("2026-07-15T12:00:00Z"));
  });

  it("hold back what is not critical until they end, and never what is", () => {
    const night = (now: number): boolean => now < at(1000);
    for (const [criticalFrom, asked] of [
      [0, at(1)],
      [1, at(1000)],
    ] as const) {
      const monitor = new Monitor(planOf([ruleOf("threshold")], {}, { criticalFrom }).watches, night);
      const events = [...monitor.observe("test-threshold", value(at(1), 130), at(1))];
      for (let second = 2; second < 1100; second++) events.push(...monitor.tick(at(second)));
      expect(events.find(({ kind }) => kind === "notified")?.at).to.equal(asked);
    }
  });
});

describe("answers", () => {
  const answer = { alert: alertName(PLAN, "a-rule/1"), act: "snooze", until: 5, level: 2, at: 3 } as const;

  it("are those of a responder of the plan, and of no other content", async () => {
    const signed = await signAnswer(DOCTOR, answer);
    expect(responderOf(PLAN, signed).name).to.equal("doctor");
    const changes = [{ alert: "x" }, { act: ACTS[0] }, { until: 6 }, { level: 3 }, { at: 4 }];
    for (const change of changes)
      expect(() => responderOf(PLAN, { ...signed, answer: { ...answer, ...change } }))
        .to.throw()
        .with.property("code", "ERR_ANSWER_REFUSED");
    expect(() => responderOf(PLAN, { answer, signature: "0x12" })).to.throw();
  });

  it("name an alert of one plan", () => {
    expect(alertOf(PLAN, answer.alert)).to.equal("a-rule/1");
    expect(alertOf({ ...PLAN, id: `f${PLAN.id.slice(1)}` }, answer.alert)).to.equal(undefined);
  });
});

describe("entries of a plan's stream", () => {
  it("come back as they were, through the bytes of a leaf", async () => {
    const rule = ruleOf("threshold");
    const observations = [value(at(1), 130), value(at(2), -5, 0, 1)];
    const { state } = evaluate(rule, START, upTo(observations, at(60)));
    const statement = { rule: rule.name, from: at(0), to: at(60), count: 2, digest: digestOf(observations), state };
    const event = { kind: "acknowledged", alert: "a-rule/1", at: at(3), by: "doctor" } as const;
    const answer = await signAnswer(DOCTOR, {
      alert: alertName(PLAN, "a-rule/1"),
      act: "acknowledge",
      until: 0,
      level: 0,
      at: at(3),
    });
    const entries: Entry[] = [
      { plan: PLAN.id, n: 0, at: at(0), kind: "plan", signed: await signedPlan(PLAN) },
      { plan: PLAN.id, n: 1, at: at(60), kind: "stated", statement: { ...statement, before: START } },
      { plan: PLAN.id, n: 2, at: at(61), kind: "stated", statement: { ...statement, supersedes: 1 } },
      { plan: PLAN.id, n: 3, at: at(3), kind: "event", event, level: 2, answer },
    ];
    for (const entry of entries) {
      const recorded = decodeObservation(encodeObservation(entryToObservation(entry)));
      expect(entryFromObservation(recorded)).to.deep.equal(entry);
      expect(() => entryFromObservation({ ...recorded, time: new Date(entry.at + 1).toISOString() })).to.throw();
    }
    const missing = { kind: "missing", reason: "unknown", source: "" } as const;
    const lost = { channel: ALERTS_CHANNEL, time: "2026-03-01T00:00:00Z", status: "final", value: missing } as const;
    expect(() => entryFromObservation(lost))
      .to.throw()
      .with.property("code", "ERR_MALFORMED");
  });

  it("have a digest that every observation and its order are in", () => {
    const some = [value(at(1), 130), value(at(2), 131)];
    const all = [
      some,
      some.toReversed(),
      some.slice(1),
      [value(at(1), -130), some[1]!],
      [value(at(1), 130, 1), some[1]!],
    ];
    expect(new Set(all.map(digestOf)).size).to.equal(all.length);
  });
});
