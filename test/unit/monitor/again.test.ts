import { expect } from "chai";
import { Bed } from "../../../scripts/deep/alert-bed.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import type { AlertEvidence } from "../../../src/monitor/audit-finding.ts";
import { PaperRows } from "../../integration/rig.ts";

const bed = (...differs: Parameters<typeof Bed.of> extends [unknown, ...infer R] ? R : never): Promise<Bed> =>
  Bed.of(new PaperRows(), ...differs);

const findings = (evidence: AlertEvidence): string[] => auditAlerts(evidence).findings.map(({ kind }) => kind);

/** The record of a monitor that does not ask again: without what it told from the notice number `from` on. */
function hushed({ evidence, notices }: Bed, from: number): AlertEvidence {
  const ids = new Set(notices.slice(from).map(({ id }) => id));
  const entries = evidence.entries
    .filter(({ entry }) => !ids.has(`${entry.plan}/${entry.n}`))
    .map(({ entry, object }, n) => ({ entry: { ...entry, n }, object }));
  return { ...evidence, entries };
}

describe("an alert that is asked about again", () => {
  it("is when it gets worse than it was when somebody took it up, until somebody does so anew", async () => {
    const ann = await bed();
    expect(await ann.have(2, 60)).to.deep.equal(["nurse 2"]);
    await ann.answer("nurse");
    expect(await ann.have(1, 60)).to.deep.equal([]);
    expect(await ann.have(2, 600)).to.deep.equal([]);
    expect(await ann.have(4, 600)).to.deep.equal(["nurse 4", "doctor 4"]);
    await ann.answer("doctor");
    expect(await ann.have(1, 60)).to.deep.equal([]);
    expect(await ann.have(4, 600)).to.deep.equal([]);
    expect(await ann.have(0, 600)).to.deep.equal([]);
    expect(ann.desk.alertsOf(ann.plan.id)).to.have.length(1);
    expect(findings(ann.evidence)).to.deep.equal([]);
    expect(findings(hushed(ann, 1))).to.deep.equal(["unescalated"]);
    expect(findings(hushed(ann, 2))).to.deep.equal(["unescalated"]);
  });

  it("is not over when it got worse and its condition ended before somebody took it up anew", async () => {
    const ann = await bed();
    await ann.have(2, 60);
    await ann.answer("nurse");
    expect(await ann.have(4, 30)).to.deep.equal(["nurse 4"]);
    expect(await ann.have(0, 300)).to.deep.equal(["doctor 4"]);
    await ann.answer("doctor");
    await ann.have(0, 300);
    expect(findings(ann.evidence)).to.deep.equal([]);
    expect(findings(hushed(ann, 1))).to.deep.equal(["unescalated"]);
  });

  it("is when it returns or gets worse and nobody has answered", async () => {
    const ann = await bed();
    expect(await ann.have(1, 900)).to.deep.equal(["nurse 1", "doctor 1"]);
    expect(await ann.have(0, 300)).to.deep.equal([]);
    expect(await ann.have(1, 900)).to.deep.equal(["nurse 1", "doctor 1"]);
    expect(findings(ann.evidence)).to.deep.equal(["unacknowledged"]);
    expect(await ann.have(2, 60)).to.deep.equal(["nurse 2"]);
    expect(await ann.have(4, 900)).to.deep.equal(["nurse 4", "doctor 4"]);
    expect(await ann.have(4, 900)).to.deep.equal([]);
    expect(findings(ann.evidence)).to.deep.equal(["unacknowledged"]);
    expect(findings(hushed(ann, 2)), "neither when it returned nor when it got worse").to.deep.equal([
      "unescalated",
      "unescalated",
    ]);
    expect(findings(hushed(ann, 4))).to.deep.equal(["unescalated"]);
    await ann.answer("doctor");
    await ann.have(0, 300);
    expect(findings(ann.evidence)).to.deep.equal([]);
  });
});
