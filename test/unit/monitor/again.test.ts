import { expect } from "chai";
import { Bed } from "../../../scripts/deep/alert-bed.ts";
import { hushWorse, watchWorse } from "../../../scripts/deep/alert-worse.ts";
import { stateOf } from "../../../scripts/commands/alerts-list.ts";
import { lineOf } from "../../../scripts/cli/channels.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import type { AlertEvidence } from "../../../src/monitor/audit-finding.ts";
import { livesOf, type Life } from "../../../src/monitor/life.ts";
import { PaperRows } from "../../integration/rig.ts";

const bed = (...differs: Parameters<typeof Bed.of> extends [unknown, ...infer R] ? R : never): Promise<Bed> =>
  Bed.of(new PaperRows(), ...differs);

const findings = (evidence: AlertEvidence): string[] => auditAlerts(evidence).findings.map(({ kind }) => kind);

const stateIn = ({ evidence }: Bed): string => stateOf(livesOf(evidence.entries)[0] as Life);

/** The record of a monitor that does not ask again: without what it told from the notice number `from` on. */
function hushed({ evidence, notices }: Bed, from: number): AlertEvidence {
  const ids = new Set(notices.slice(from).map(({ id }) => id));
  const entries = evidence.entries
    .filter(({ entry }) => !ids.has(`${entry.plan}/${entry.n}`))
    .map(({ entry, object }, n) => ({ entry: { ...entry, n }, object }));
  return { ...evidence, entries };
}

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);

describe("an alert that is asked about again", () => {
  it("is when it gets worse than it was when somebody took it up, until somebody does so anew", async () => {
    const ann = await bed();
    expect(await ann.have(2, 60)).to.deep.equal(["nurse 2"]);
    await ann.answer("nurse");
    expect(await ann.have(1, 60)).to.deep.equal([]);
    expect(await ann.have(2, 600)).to.deep.equal([]);
    expect(stateIn(ann)).to.equal("taken up by nurse, its condition lasts");
    expect(await ann.have(4, 600)).to.deep.equal(["nurse 4", "doctor 4"]);
    expect(stateIn(ann)).to.match(/^came back or got worse after nurse had taken it up, and nobody has answered since/);
    await ann.answer("doctor");
    expect(stateIn(ann)).to.equal("taken up by doctor, its condition lasts");
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

  it("waits for the morning unless it has become critical", async () => {
    const night = { quiet: { from: 0, to: 60, zone: "UTC" } };
    const ann = await bed(night, { criticalFrom: 4 });
    expect(await ann.have(1, 600)).to.deep.equal([]);
    expect(await ann.have(4, 60)).to.deep.equal(["nurse 4"]);
    await ann.answer("nurse");
    const bob = await bed(night, { criticalFrom: 2 });
    expect(await bob.have(1, 3700)).to.deep.equal(["nurse 1"]);
    expect(findings(ann.evidence)).to.deep.equal([]);
    expect(findings(bob.evidence)).to.deep.equal([]);
  });

  it("is not answered by what was signed before it got worse", async () => {
    const ann = await bed();
    await ann.have(1, 60);
    const before = ann.now - 1;
    await ann.have(4, 60);
    const late = await ann.answer("nurse", "acknowledge", 0, before).catch((error: unknown) => error);
    expect(late).to.include({ code: "ERR_ANSWER_REFUSED" });
    expect((late as Error).message).to.include("before the alert got worse");
    await ann.answer("nurse");
    expect(findings(ann.evidence)).to.deep.equal([]);
  });

  it("asks the next one also where it comes and goes faster than they have time to answer", async () => {
    const ann = await bed();
    const told: string[] = [];
    for (let i = 0; i < 20; i++) told.push(...(await ann.have(1, 30)), ...(await ann.have(0, 30)));
    expect(told.slice(0, 4)).to.deep.equal(["nurse 1", "doctor 1", "nurse 1", "doctor 1"]);
    expect(findings(ann.evidence)).to.deep.equal(["unacknowledged"]);
  });

  it("says in words that it got worse, and from which level to which", async () => {
    const ann = await bed();
    await ann.have(2, 60);
    await ann.have(4, 600);
    expect(ann.notices.map(({ to, worse }) => [to, worse])).to.deep.equal([
      ["nurse", undefined],
      ["nurse", { from: 2, to: 4 }],
      ["doctor", { from: 2, to: 4 }],
    ]);
    const [first, ...later] = ann.notices.map(lineOf);
    expect(first).to.include(", level 2;");
    for (const line of later) expect(line).to.include("got worse, from level 2 to level 4;");
  });

  it("blames nobody by a plan that was signed before it said so, whether its monitor asks again or not", async () => {
    const ann = await bed({ asksOnce: true });
    await ann.have(1, 900);
    await ann.have(0, 300);
    expect(await ann.have(2, 900)).to.deep.equal(["nurse 2", "doctor 2"]);
    await ann.answer("nurse");
    expect(await ann.have(4, 60)).to.deep.equal(["nurse 4"]);
    await ann.answer("nurse");
    expect(findings(ann.evidence)).to.deep.equal([]);
    expect(findings(hushed(ann, 2))).to.deep.equal([]);
    const { evidence } = await watchWorse(SEED, () => new PaperRows(), { asksOnce: true });
    expect(findings(evidence).filter((kind) => kind !== "unacknowledged")).to.deep.equal([]);
  });

  it("is found by the audit where it was not, at random, and nothing else is", async () => {
    const { unseen, blamed, ...counts } = await hushWorse(4, SEED, () => new PaperRows());
    console.log(`      seed ${SEED}: ${JSON.stringify(counts)}`);
    expect(counts.worse).to.be.greaterThan(0);
    expect(counts.hushed).to.be.greaterThan(0);
    expect(unseen).to.deep.equal([]);
    expect(blamed).to.deep.equal([]);
  });
});
