import { expect } from "chai";
import { dayOf, watchDay } from "../../../scripts/deep/alert-day.ts";
import { tamper } from "../../../scripts/deep/alert-tampering.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import { PaperRows } from "../../integration/rig.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);

describe("audit of alerts", function () {
  this.timeout(120_000);

  it("finds nothing in what an honest monitor wrote, and what was tampered with once, and nothing else", async () => {
    console.log(`      seed ${SEED}`);
    const day = dayOf(SEED, 4800);
    const { evidence, notices } = await watchDay(day, SEED, new PaperRows());
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
});
