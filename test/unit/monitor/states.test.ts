import { expect } from "chai";
import type { AlertEvidence } from "../../../src/monitor/audit-finding.ts";
import { auditAlerts } from "../../../src/monitor/audit.ts";
import type { Fed } from "../../../src/monitor/desk-state.ts";
import { Desk } from "../../../src/monitor/desk.ts";
import { entryFromObservation, entryToObservation } from "../../../src/monitor/entry.ts";
import type { Source } from "../../../src/monitor/plan.ts";
import { standingAt, standingNow } from "../../../src/monitor/standing.ts";
import { ANNOUNCED_OFFLINE, type Observation } from "../../../src/observation/observation.ts";
import type { Told } from "../../../src/alerts/told.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { PaperRows } from "../../integration/rig.ts";
import { at, heartBeat, PATIENT, planOf, signedPlan } from "./plans.ts";
import { ruleOf } from "../alerts/samples.ts";

const CHANNEL = { system: "http://loinc.org", code: "8867-4", unit: "/min" };
const LEAVE = { grantor: PATIENT.address as Hex, id: `0x${"11".repeat(32)}` as const, until: at(100_000) / 1000 };
const DEVICE = { registry: PATIENT.address as Hex, id: `0x${"22".repeat(32)}` as const };
const SOURCE: Source = { channels: [CHANNEL], writes: [LEAVE], device: DEVICE };
const RULES = [ruleOf("threshold"), ruleOf("absence")];
const KEY = new Uint8Array(32).fill(7);

/** Watches for 20 minutes: a reading every five seconds but where `isSilent` says so, and what else was heard. */
async function watched(
  heard: readonly (readonly [second: number, what: Told | Observation])[],
  isSilent: (second: number) => boolean,
): Promise<AlertEvidence> {
  const signed = await signedPlan(planOf(RULES, { sources: [SOURCE] }));
  const { plan } = signed;
  let rows = new PaperRows();
  let desk = new Desk(rows, KEY);
  await desk.adopt(signed, at(0));
  const readings: Observation[] = [];
  for (let second = 0; second < 1200; second++) {
    const now: Fed["recorded"][] = heard.flatMap(([when, what]) => (when === second ? [what] : []));
    if (second % 5 === 0 && !isSilent(second)) now.push(heartBeat(at(second), 70));
    readings.push(...now.flatMap((one) => ("report" in one ? [] : [one])));
    await desk.take(
      now.map((recorded) => ({ plan: plan.id, recorded })),
      at(second),
    );
    await desk.state(at(second));
    // What was heard outlives a crash.
    if (second % 100 === 50) desk = new Desk((rows = new PaperRows(rows.rows)), KEY);
  }
  return {
    plan,
    entries: desk.unsealed(plan.id).map((entry) => {
      if (entry.kind === "told") expect(entryFromObservation(entryToObservation(entry))).to.deep.equal(entry);
      return { entry, object: `header of ${entry.n}` };
    }),
    readings: readings.map((recorded) => ({ recorded, object: `header of ${recorded.time}` })),
    from: at(0),
    to: at(1200),
  };
}

const told = (report: Told["report"], second: number): [number, Told] => [
  second,
  { report, channels: [CHANNEL], time: at(second) },
];
const offline: [number, Observation] = [300, { ...heartBeat(at(300), 0), value: ANNOUNCED_OFFLINE }];
const isAway = (second: number): boolean => second > 300 && second < 600;

describe("why there is no data", function () {
  this.timeout(60_000);

  it("silence raises an alert; announced, paused or retired it raises none, and each is another state", async () => {
    for (const [why, heard, alerts] of [
      ["noData", [], 1],
      ["announcedOffline", [offline], 0],
      ["consentPaused", [told("consentPaused", 300), told("resumed", 600)], 0],
      ["deviceRetired", [told("deviceRetired", 300), told("resumed", 600)], 0],
    ] as const) {
      const evidence = await watched(heard, isAway);
      const report = auditAlerts(evidence);
      expect(report.alerts, why).to.equal(alerts);
      expect(report.coverage, why).to.equal(100);
      expect(
        report.findings.filter(({ kind }) => kind !== "unacknowledged" && kind !== "unescalated"),
        why,
      ).to.deep.equal([]);
      const silences = report.silences.filter(({ rule }) => rule === "test-threshold");
      expect(silences.map((one) => one.why)).to.deep.equal([why]);
      expect(silences[0]?.from, why).to.be.within(at(300), at(360));
      expect(silences[0]?.to, why).to.equal(at(600));
    }
  });

  it("a pause that the chain does not know is found, and so is one of channels that the plan has no source for", async () => {
    const evidence = await watched([told("consentPaused", 300), told("resumed", 600)], isAway);
    const kinds = (change: Partial<AlertEvidence>): string[] =>
      auditAlerts({ ...evidence, ...change }).findings.map(({ kind }) => kind);
    expect(kinds({ standingOf: (_, time) => (time >= at(299) && time < at(600) ? "consentPaused" : undefined) })).to.be
      .empty;
    expect(kinds({ standingOf: () => undefined })).to.deep.equal(["unfounded"]);
    expect(kinds({ standingOf: () => "deviceRetired" })).to.deep.equal(["unfounded", "unfounded"]);
    expect(kinds({ plan: { ...evidence.plan, sources: [] } })).to.deep.equal(["unfounded", "unfounded"]);
    // One that is left out shows as well: then nothing excuses that silence was not heard.
    const entries = evidence.entries.filter(({ entry }) => entry.kind !== "told");
    expect(kinds({ entries: entries.map((one, n) => ({ ...one, entry: { ...one.entry, n } })) })).to.include("missed");
  });

  it("an announcement that nobody recorded is found", async () => {
    const evidence = await watched([offline], isAway);
    const readings = evidence.readings.filter(
      ({ recorded }) => !("value" in recorded) || recorded.value !== ANNOUNCED_OFFLINE,
    );
    expect(auditAlerts({ ...evidence, readings }).findings.map(({ kind }) => kind)).to.include.members([
      "wrong",
      "missed",
    ]);
  });

  it("stands as consents and devices do, at once and looked back upon", () => {
    const [ended, retired] = [500, 900];
    const watch = {
      inForce: () => false,
      intervals: () => [{ from: 100, until: ended }],
    };
    const retiredAt = (): number => retired;
    expect([50, 100, 499, 500, 899, 900].map((time) => standingAt(SOURCE, watch, retiredAt, time))).to.deep.equal([
      "consentPaused",
      undefined,
      undefined,
      "consentPaused",
      "consentPaused",
      "deviceRetired",
    ]);
    const holds = { inForce: () => true };
    expect(standingNow(SOURCE, holds, () => undefined, 500)).to.equal(undefined);
    expect(standingNow(SOURCE, watch, () => undefined, 500)).to.equal("consentPaused");
    expect(standingNow(SOURCE, holds, retiredAt, 900)).to.equal("deviceRetired");
    expect(standingNow(SOURCE, holds, () => undefined, LEAVE.until)).to.equal("consentPaused");
  });
});
