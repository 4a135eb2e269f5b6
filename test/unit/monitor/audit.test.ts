import { expect } from "chai";
import { dayOf, SECOND, watchDay, type Watched } from "../../../scripts/deep/alert-day.ts";
import { tamper } from "../../../scripts/deep/alert-tampering.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import { livesOf, stepOf, type Life, type Placed, type Step } from "../../../src/monitor/life.ts";
import { PaperRows } from "../../integration/rig.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);

describe("audit of alerts", () => {
  const day = dayOf(SEED, 4800);
  let watched: Watched;
  before(async () => (watched = await watchDay(day, SEED, new PaperRows())));

  it("finds nothing in what an honest monitor wrote, and what was tampered with once, and nothing else", async () => {
    console.log(`      seed ${SEED}`);
    const { evidence, notices } = watched;
    const report = auditAlerts(evidence);
    expect(report.findings).to.deep.equal([]);
    expect(report).to.include({ ok: true, coverage: 100, episodes: day.injected.length, alerts: day.injected.length });
    expect(notices.filter(({ kind }) => kind === "notified").length).to.be.at.least(day.injected.length);
    const { tried, unseen, blamed } = tamper(evidence, 16, SEED);
    console.log(`      ${JSON.stringify(tried)}`);
    expect(Math.min(...Object.values(tried))).to.be.greaterThan(0);
    expect(unseen).to.deep.equal([]);
    expect(blamed).to.deep.equal([]);
  });

  it("blames an alert that was opened after the next one had begun, and not that one", () => {
    const { evidence } = watched;
    const lives = livesOf(evidence.entries).sort((a, b) => a.raisedAt - b.raisedAt);
    const all = lives.map((life) => [
      life,
      lives.find((one) => one.rule === life.rule && one.raisedAt > life.raisedAt),
    ]);
    const [life, next] = all.find(([, after]) => after !== undefined) as [Life, Life];
    const by = next.raisedAt + SECOND - (stepOf(life, "opened") as Step).at;
    const entries = evidence.entries.map(({ entry, object }): Placed => {
      if (entry.kind !== "event" || !("alert" in entry.event) || entry.event.alert !== life.id)
        return { entry, object };
      return { entry: { ...entry, at: entry.at + by, event: { ...entry.event, at: entry.event.at + by } }, object };
    });
    const { findings } = auditAlerts({ ...evidence, entries });
    expect(findings.map(({ kind }) => kind)).to.include("late");
    expect(findings.filter(({ alert }) => alert?.endsWith(`/${next.id}`))).to.deep.equal([]);
  });
});
