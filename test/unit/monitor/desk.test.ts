import { expect } from "chai";
import { mulberry32 } from "../../../examples/simulate.ts";
import { signAnswer } from "../../../src/monitor/answer.ts";
import { Desk } from "../../../src/monitor/desk.ts";
import { entryToObservation, type Entry } from "../../../src/monitor/entry.ts";
import type { Notice } from "../../../src/monitor/notice.ts";
import { alertName, type SignedPlan } from "../../../src/monitor/plan.ts";
import { PaperRows } from "../../integration/rig.ts";
import { at, heartBeat, NURSE, PATIENT, planOf, signedPlan } from "./plans.ts";
import { ruleOf, SECOND } from "../alerts/samples.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);
const KEY = new Uint8Array(32).fill(7);
const HIGH = ruleOf("threshold", { trigger: { hysteresis: 5n, raiseAfter: 5 * SECOND, clearAfter: 10 * SECOND } });
const SILENT = ruleOf("absence");

/** One reading a second, with episodes, silences, and batches of late readings. */
function story(seconds: number, draw: () => number): { readonly now: number; readonly values: [number, number][] }[] {
  let [high, silent] = [0, 0];
  const held: [number, number][] = [];
  return Array.from({ length: seconds }, (_, second) => {
    if (draw() < 0.01) high = 20;
    if (draw() < 0.005) silent = 45;
    const value: [number, number] = [at(second), high-- > 0 ? 130 : 70];
    const values = silent-- > 0 ? [] : [value];
    if (values.length > 0 && draw() < 0.1) held.push(...values.splice(0));
    if (draw() < 0.02) values.push(...held.splice(0));
    return { now: at(second), values };
  });
}

async function deskOf(rows: PaperRows, signed: SignedPlan): Promise<Desk> {
  const desk = new Desk(rows, KEY);
  await desk.adopt(signed, at(0));
  return desk;
}

describe("the desk of a monitor", () => {
  it("killed and opened again at any moment it has said the same, each notice once", async () => {
    console.log(`      seed ${SEED}`);
    const signed = await signedPlan(planOf([HIGH, SILENT]));
    const run = async (
      restart: number,
    ): Promise<{ entries: readonly Entry[]; notices: Notice[]; restarts: number }> => {
      const draw = mulberry32(SEED);
      const steps = story(900, mulberry32(SEED + 1));
      let rows = new PaperRows();
      let desk = await deskOf(rows, signed);
      const notices: Notice[] = [];
      let restarts = 0;
      for (const { now, values } of steps) {
        const { plan } = signed;
        notices.push(
          ...(await desk.take(
            values.map(([time, value]) => ({ plan: plan.id, recorded: heartBeat(time, value) })),
            now,
          )),
        );
        await desk.state(now);
        const open = desk.alertsOf(plan.id).find((alert) => alert.resolvedBy === undefined && !alert.acknowledgedBy);
        if (open !== undefined && now % (40 * SECOND) === 0) {
          const name = alertName(plan, open.id);
          const answer = { alert: name, act: "acknowledge", until: 0, level: 0, at: now } as const;
          await desk.answer(await signAnswer(NURSE, answer), now);
        }
        if (draw() >= restart) continue;
        restarts += 1;
        desk.close();
        rows = new PaperRows(rows.rows);
        desk = await deskOf(rows, signed);
      }
      return { entries: desk.unsealed(signed.plan.id), notices, restarts };
    };
    const [whole, cut] = [await run(0), await run(0.2)];
    expect(cut.restarts).to.be.greaterThan(100);
    expect(whole.notices.length).to.be.greaterThan(5);
    expect(cut.entries.map(entryToObservation)).to.deep.equal(whole.entries.map(entryToObservation));
    expect(cut.notices).to.deep.equal(whole.notices);
    expect(whole.entries.map(({ n }) => n)).to.deep.equal(whole.entries.map((_, i) => i));
    expect(whole.entries.filter((one) => one.kind === "stated" && one.statement.supersedes !== undefined)).not.to.be
      .empty;
  });

  it("keeps few rows of readings, however long it runs, and of however many patients", async () => {
    const rows = new PaperRows();
    const desk = new Desk(rows, KEY);
    const ids = ["0", "1", "2"].map((digit) => digit.repeat(32));
    const lateness = { lateness: 180 * SECOND };
    for (const id of ids) await desk.adopt(await signedPlan(planOf([HIGH], { id }, lateness)), at(0));
    for (let second = 0; second < 600; second++) {
      await desk.take(
        ids.map((plan) => ({ plan, recorded: heartBeat(at(second), 70) })),
        at(second),
      );
      await desk.state(at(second));
    }
    expect(rows.load("readings").length).to.be.lessThan(100);
  });

  it("has a notice until every channel has it", async () => {
    const signed = await signedPlan(planOf([ruleOf("threshold")]));
    const rows = new PaperRows();
    const desk = await deskOf(rows, signed);
    const [notice] = await desk.take([{ plan: signed.plan.id, recorded: heartBeat(at(1), 130) }], at(1));
    if (notice === undefined) throw new Error("no notice");
    const channels = ["console", "file"];
    const shown = { id: notice.id, channel: "console" };
    expect(await desk.delivered([shown, shown], channels)).to.deep.equal([true, false]);
    expect(await desk.delivered([shown], channels)).to.deep.equal([false]);
    const again = new Desk(new PaperRows(rows.rows), KEY);
    expect(again.pending).to.deep.equal([{ notice, done: ["console"] }]);
    await again.delivered([{ id: notice.id, channel: "file" }], channels);
    expect(again.pending).to.deep.equal([]);
  });

  it("goes on behind what it took of a source", async () => {
    const signed = await signedPlan(planOf([HIGH]));
    const rows = new PaperRows();
    const desk = await deskOf(rows, signed);
    const fed = [1, 2, 3].map((second) => ({ plan: signed.plan.id, recorded: heartBeat(at(second), 70) }));
    await desk.take(fed, at(3), "a recording");
    expect(new Desk(new PaperRows(rows.rows), KEY).taken("a recording")).to.equal(3);
  });

  it("claims nothing of a time in which it was away", async () => {
    const signed = await signedPlan(planOf([HIGH]));
    const rows = new PaperRows();
    let desk = await deskOf(rows, signed);
    const feed = async (from: number, to: number): Promise<void> => {
      for (let second = from; second < to; second += 10) {
        await desk.take([{ plan: signed.plan.id, recorded: heartBeat(at(second), 70) }], at(second));
        await desk.state(at(second));
      }
    };
    await feed(0, 300);
    desk = new Desk(new PaperRows(rows.rows), KEY);
    desk.resume(at(1200));
    await feed(1200, 1500);
    const stated = desk.unsealed(signed.plan.id).flatMap((one) => (one.kind === "stated" ? [one.statement] : []));
    const covered = stated.map(({ from, to }) => [from, to]);
    expect(covered.every(([, to = 0]) => to <= at(300)) || covered.every(([from = 0]) => from >= at(1200))).to.equal(
      false,
    );
    expect(stated.some(({ from, to }) => from < at(1200) && to > at(300))).to.equal(false);
    expect(stated.filter(({ before }) => before !== undefined)).to.have.length(2);
  });

  it("seals nothing twice and forgets what was sealed", async () => {
    const signed = await signedPlan(planOf([ruleOf("threshold")]));
    const desk = await deskOf(new PaperRows(), signed);
    await desk.take([{ plan: signed.plan.id, recorded: heartBeat(at(1), 130) }], at(1));
    const entries = desk.unsealed(signed.plan.id);
    expect(entries.map(({ kind }) => kind)).to.deep.equal(["plan", "event", "event"]);
    await desk.sealed(signed.plan.id, 2);
    expect(desk.unsealed(signed.plan.id).map(({ n }) => n)).to.deep.equal([2]);
  });

  it("refuses an answer of a stranger, of no alert here, and a snooze below the alert's level", async () => {
    const signed = await signedPlan(planOf([ruleOf("threshold")]));
    const desk = await deskOf(new PaperRows(), signed);
    await desk.take([{ plan: signed.plan.id, recorded: heartBeat(at(1), 130) }], at(1));
    const alert = alertName(signed.plan, `test-threshold/${at(1)}`);
    const say = { alert, act: "acknowledge", until: 0, level: 0, at: at(2) } as const;
    const refused = async (answer: Parameters<typeof signAnswer>[1], by = NURSE): Promise<string> =>
      desk.answer(await signAnswer(by, answer), at(3)).then(
        () => "accepted",
        (error: Error) => error.message,
      );
    expect(await refused(say, PATIENT)).to.match(/not signed by a responder/);
    expect(await refused({ ...say, alert: `ffffffff${alert.slice(8)}` })).to.match(/no plan here/);
    expect(await refused({ ...say, alert: `${alert}1` })).to.match(/no such alert/);
    expect(await refused({ ...say, at: at(-100) })).to.match(/dated before/);
    expect(await refused({ ...say, act: "snooze", until: at(2) })).to.match(/over already/);
    expect(await refused(say)).to.equal("accepted");
  });
});
