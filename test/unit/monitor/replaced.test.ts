import { expect } from "chai";
import type { AlertEvidence } from "../../../src/monitor/audit-finding.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import { signAnswer } from "../../../src/monitor/answer.ts";
import { Desk } from "../../../src/monitor/desk.ts";
import { entryFromObservation, entryToObservation } from "../../../src/monitor/entry.ts";
import type { Notice } from "../../../src/monitor/notice.ts";
import { alertName, checkPlan, planStatement, signPlan } from "../../../src/monitor/plan.ts";
import type { Observation } from "../../../src/observation/observation.ts";
import { PaperRows } from "../../integration/rig.ts";
import { at, DOCTOR, heartBeat, NURSE, PATIENT, planOf, signedPlan } from "./plans.ts";
import { ruleOf } from "../alerts/samples.ts";

const HIGH = ruleOf("threshold");
const OLD = planOf([HIGH]);
const NEW = planOf([ruleOf("threshold", { trigger: { threshold: 150n } })], { id: "f".repeat(32), replaces: OLD.id });
const END = { ...planOf([], { id: "e".repeat(32), replaces: OLD.id }), responders: [] };
const KEY = new Uint8Array(32).fill(7);

describe("a care plan that is replaced", function () {
  this.timeout(60_000);

  it("says so to who signs, and may be without rules only then", () => {
    expect(planStatement(NEW)).to.include(`instead of by plan ${OLD.id}`);
    expect(planStatement(END)).to.equal(
      `Watch over Ann no more by plan ${OLD.id}; its open alerts are still to be answered.`,
    );
    checkPlan(END);
    expect(() => checkPlan({ ...END, replaces: undefined })).to.throw(/1 to 64 rules/);
    expect(() => checkPlan({ ...NEW, replaces: NEW.id })).to.throw(/no other plan/);
  });

  it("keeps its open alerts, asks on, evaluates nothing more, and is audited up to there, through a crash", async () => {
    let rows = new PaperRows();
    let desk = new Desk(rows, KEY);
    await desk.adopt(await signedPlan(OLD), at(0));
    const notices: Notice[] = [];
    const readings: Observation[] = [];
    for (let second = 0; second < 1500; second += 5) {
      const recorded = heartBeat(at(second), second < 250 ? 70 : 130);
      readings.push(recorded);
      if (second === 300) await desk.adopt(await signedPlan(NEW), at(second));
      if (second % 500 === 0) desk = new Desk((rows = new PaperRows(rows.rows)), KEY);
      const fed = [OLD, NEW].map(({ id }) => ({ plan: id, recorded }));
      notices.push(...(await desk.take(fed, at(second))));
      await desk.state(at(second));
    }
    expect(desk.watching.map(({ plan }) => plan.id)).to.deep.equal([NEW.id]);
    // Raised before, it is passed on after, and answered.
    const alert = alertName(OLD, `test-threshold/${at(250)}`);
    expect(notices.map((notice) => [notice.alert, notice.to])).to.deep.equal([
      [alert, "nurse"],
      [alert, "doctor"],
    ]);
    await desk.answer(await signAnswer(DOCTOR, { alert, act: "resolve", until: 0, level: 0, at: at(1490) }), at(1495));
    const entries = desk.unsealed(OLD.id).map((entry) => ({ entry, object: `header of ${entry.n}` }));
    const end = entries.find(({ entry }) => entry.kind === "ended")?.entry;
    expect(end && entryFromObservation(entryToObservation(end))).to.deep.equal(end);
    const evidence: AlertEvidence = {
      plan: OLD,
      entries,
      readings: readings.map((recorded) => ({ recorded, object: "header" })),
      ...{ from: at(0), to: at(1500) },
    };
    const honest = auditAlerts({ ...evidence, successors: [NEW.id] });
    expect(honest.coverage).to.equal(100);
    // Nobody answered for fifteen minutes: that outlives the plan as well.
    expect(honest.findings.map(({ kind }) => kind)).to.deep.equal([]);
    const silent = entries.filter(({ entry }) => entry.at < at(400));
    const unanswered = auditAlerts({ ...evidence, entries: silent, successors: [NEW.id] });
    expect(unanswered.findings.map(({ kind }) => kind)).to.deep.equal(["unescalated"]);
    // A monitor cannot end a plan by itself.
    const alone = auditAlerts(evidence).findings.map(({ kind }) => kind);
    expect(alone).to.include.members(["unfounded", "gap"]);
  });

  it("is refused for another leave, and ends without a new one when nobody is to watch", async () => {
    const desk = new Desk(new PaperRows(), KEY);
    await desk.adopt(await signedPlan(OLD), at(0));
    const other = await signPlan(PATIENT, NEW, `0x${"cd".repeat(32)}`);
    const error = await desk.adopt(other, at(1)).catch((one: Error) => one.message);
    expect(error).to.match(/another leave/);
    await desk.adopt(await signedPlan(END), at(10));
    expect(desk.watching.map(({ plan }) => plan.id)).to.deep.equal([END.id]);
    const told = await desk.take([{ plan: OLD.id, recorded: heartBeat(at(20), 130) }], at(20));
    expect(told).to.deep.equal([]);
    await desk.state(at(4000));
    expect(desk.unsealed(END.id).map(({ kind }) => kind)).to.deep.equal(["plan"]);
  });
});

describe("attacks on a monitor's answers", () => {
  it("an answer from before an alert came back is refused when it is sent again", async () => {
    const rule = ruleOf("threshold", { trigger: { clearAfter: 10_000 } });
    const plan = planOf([rule]);
    const desk = new Desk(new PaperRows(), KEY);
    await desk.adopt(await signedPlan(plan), at(0));
    const feed = (time: number, value: number, now = time): Promise<readonly Notice[]> =>
      desk.take([{ plan: plan.id, recorded: heartBeat(at(time), value) }], at(now));
    const [notice] = await feed(5, 130);
    const alert = notice?.alert ?? "";
    const say = (second: number) =>
      signAnswer(NURSE, { alert, act: "acknowledge", until: 0, level: 0, at: at(second) });
    const first = await say(6);
    await desk.answer(first, at(6));
    await feed(7, 70);
    await desk.take([], at(18));
    expect(desk.alertsOf(plan.id)[0]?.resolvedBy).to.equal("the end of its condition");
    const again = await feed(12, 130, 20);
    expect(again.map(({ to }) => to)).to.deep.equal(["nurse"]);
    const refused = await desk.answer(first, at(21)).catch((error: Error) => error.message);
    expect(refused).to.match(/from before the alert came back/);
    await desk.answer(await say(22), at(22));
    expect(desk.alertsOf(plan.id)[0]?.acknowledgedBy).to.equal("nurse");
    // A monitor that replays it is found.
    const entries = desk.unsealed(plan.id).map((entry) => ({ entry, object: "header" }));
    const readings = [
      [5, 130],
      [7, 70],
      [12, 130],
    ].map(([second = 0, value = 0]) => ({
      recorded: heartBeat(at(second), value),
      object: "header",
    }));
    const evidence: AlertEvidence = { plan, entries, readings, from: at(0), to: at(30) };
    expect(auditAlerts(evidence).findings).to.deep.equal([]);
    const replayed = entries.map(({ entry, object }) => ({
      entry: entry.kind === "event" && entry.at === at(22) && entry.answer ? { ...entry, answer: first } : entry,
      object,
    }));
    const { findings } = auditAlerts({ ...evidence, entries: replayed });
    expect(findings.map(({ kind, text }) => [kind, /from before it came back/.test(text)])).to.deep.equal([
      ["forged", true],
    ]);
  });

  it("a snooze ends where the alert becomes more severe: a monitor that sleeps on is found", async () => {
    const rule = ruleOf("score", {
      inputs: [
        {
          ...ruleOf("score").inputs[0]!,
          bands: [
            { low: 150n, high: 10_000n, score: 3 },
            { low: 120n, high: 149n, score: 1 },
            { low: 0n, high: 119n, score: 0 },
          ],
        },
      ],
      responses: [
        { total: 1, single: 0, level: 1 },
        { total: 3, single: 0, level: 2 },
      ],
    });
    const plan = planOf([rule]);
    const desk = new Desk(new PaperRows(), KEY);
    await desk.adopt(await signedPlan(plan), at(0));
    const values = Array.from({ length: 120 }, (_, i) => [5 * i, 5 * i < 200 ? 130 : 160] as const);
    let alert = "";
    for (const [second, value] of values) {
      const [notice] = await desk.take([{ plan: plan.id, recorded: heartBeat(at(second), value) }], at(second));
      alert ||= notice?.alert ?? "";
      const snooze = { alert, act: "snooze", until: at(550), level: 1, at: at(20) } as const;
      if (second === 20) await desk.answer(await signAnswer(NURSE, snooze), at(20));
      await desk.state(at(second));
    }
    const entries = desk.unsealed(plan.id).map((entry) => ({ entry, object: "header" }));
    const readings = values.map(([second, value]) => ({ recorded: heartBeat(at(second), value), object: "header" }));
    const evidence: AlertEvidence = { plan, entries, readings, from: at(0), to: at(480) };
    expect(auditAlerts(evidence).findings.map(({ text }) => text)).to.deep.equal([]);
    const asked = entries.filter(({ entry }) => entry.kind === "event" && entry.event.kind === "notified");
    expect(asked.map(({ entry }) => entry.at)).to.deep.equal([at(0), at(200)]);
    const slept = entries
      .filter((one) => one !== asked[1])
      .map(({ entry }, n) => ({ entry: { ...entry, n }, object: "" }));
    expect(auditAlerts({ ...evidence, entries: slept }).findings.map(({ kind }) => kind)).to.deep.equal([
      "unescalated",
    ]);
  });

  it("a statement from a state that cannot be breaks no audit", async () => {
    const plan = planOf([HIGH]);
    const desk = new Desk(new PaperRows(), KEY);
    await desk.adopt(await signedPlan(plan), at(0));
    for (let second = 0; second < 600; second += 5) {
      await desk.take([{ plan: plan.id, recorded: heartBeat(at(second), 70) }], at(second));
      await desk.state(at(second));
    }
    const entries = desk.unsealed(plan.id).map((entry) => ({ entry, object: "header" }));
    const readings = Array.from({ length: 120 }, (_, i) => ({ recorded: heartBeat(at(5 * i), 70), object: "header" }));
    const evidence: AlertEvidence = { plan, entries, readings, from: at(0), to: at(600) };
    expect(auditAlerts(evidence).findings).to.deep.equal([]);
    const first = entries.find(({ entry }) => entry.kind === "stated")?.entry;
    if (first?.kind !== "stated") throw new Error("nothing is stated");
    const { statement } = first;
    const impossible = { ...statement, before: { ...statement.state, time: at(5000) } };
    const forged = entries.map(({ entry, object }) => ({
      entry: entry === first ? { ...first, statement: impossible } : entry,
      object,
    }));
    expect(auditAlerts({ ...evidence, entries: forged }).findings.map(({ kind }) => kind)).to.include("wrong");
  });
});
