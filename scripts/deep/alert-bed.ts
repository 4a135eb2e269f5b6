import type { Watch } from "../../src/alerts/alert.ts";
import { INT64_MAX, INT64_MIN, type Rule } from "../../src/alerts/rule.ts";
import { signAnswer, type Act } from "../../src/monitor/answer.ts";
import type { AlertEvidence } from "../../src/monitor/audit-finding.ts";
import { Desk } from "../../src/monitor/desk.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { alertName, type CarePlan } from "../../src/monitor/plan.ts";
import type { Observation } from "../../src/observation/observation.ts";
import type { Rows } from "../../src/state/rows.ts";
import { BEGIN, dayPlan, RESPONDERS, SECOND, signedDayPlan } from "./alert-day.ts";

const band = (low: bigint, high: bigint, score: number) => ({ low, high, score });

/** A score card of the heart rate: level 1 from 120 on, 2 from 140 on, 4 from 160 on. */
export const CARD: Rule = {
  name: "card",
  version: 1,
  kind: "score",
  inputs: [
    {
      ...{ system: "http://loinc.org", code: "8867-4", unit: "/min", digits: 0, maxAge: 30 * SECOND },
      bands: [band(INT64_MIN, 119n, 0), band(120n, 139n, 1), band(140n, 159n, 2), band(160n, INT64_MAX, 4)],
    },
  ],
  responses: [1, 2, 4].map((level) => ({ total: level, single: 0, level })),
  trigger: { comparator: "atLeast", threshold: 1n, hysteresis: 0n, raiseAfter: 0, clearAfter: 20 * SECOND },
  ...{ window: 0, minSpan: 0, per: 0, readings: 0 },
};

const RATES = { 0: 70, 1: 125, 2: 145, 4: 165 } as const;
export type Level = keyof typeof RATES;

/** Seconds between two readings. */
export const BEAT = 5;

/** A patient whose level by `CARD` is set, and all that their desk told and wrote. */
export class Bed {
  readonly plan: CarePlan;
  readonly desk: Desk;
  readonly notices: Notice[] = [];
  readonly readings: Observation[] = [];
  /** Of what happens next. */
  second = 0;

  private constructor(plan: CarePlan, desk: Desk) {
    this.plan = plan;
    this.desk = desk;
  }

  static async of(rows: Rows, differs: Partial<CarePlan> = {}, watch: Partial<Watch> = {}): Promise<Bed> {
    const { watches, ...plan } = dayPlan();
    const watched = { ...(watches[0] as Watch), rule: CARD, ...watch };
    const signed = await signedDayPlan({ ...plan, watches: [watched], ...differs });
    const desk = new Desk(rows, new Uint8Array(32).fill(7));
    await desk.adopt(signed, BEGIN);
    return new Bed(signed.plan, desk);
  }

  get now(): number {
    return BEGIN + this.second * SECOND;
  }

  /** Measures one level. @returns who was told meanwhile, and of which level: `doctor 2`. */
  async have(level: Level, seconds: number): Promise<string[]> {
    const told: Notice[] = [];
    for (const end = this.second + seconds; this.second < end; this.second += BEAT) {
      const value = { kind: "quantity", decimal: String(RATES[level]), comparator: "" } as const;
      const channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
      const recorded: Observation = { channel, time: new Date(this.now).toISOString(), status: "final", value };
      this.readings.push(recorded);
      told.push(...(await this.desk.take([{ plan: this.plan.id, recorded }], this.now)));
      await this.desk.state(this.now);
    }
    this.notices.push(...told);
    return told.map((notice) => `${notice.to} ${notice.level}`);
  }

  /** Answers the alert that is open, as one sees it now. @param signedAt - Milliseconds; now without it. */
  async answer(by: keyof typeof RESPONDERS, act: Act = "acknowledge", seconds = 0, signedAt = this.now): Promise<void> {
    const open = this.desk.alertsOf(this.plan.id).find(({ resolvedBy }) => resolvedBy === undefined);
    if (open === undefined) throw new Error("no alert is open");
    const alert = alertName(this.plan, open.id);
    const [until, level] = act === "snooze" ? [this.now + seconds * SECOND, open.level] : [0, 0];
    this.notices.push(
      ...(await this.desk.answer(
        await signAnswer(RESPONDERS[by], { alert, act, until, level, at: signedAt }),
        this.now,
      )),
    );
  }

  get evidence(): AlertEvidence {
    return {
      plan: this.plan,
      entries: this.desk.unsealed(this.plan.id).map((entry) => ({ entry, object: `header of entry ${entry.n}` })),
      readings: this.readings.map((recorded) => ({ recorded, object: `header of ${recorded.time}` })),
      from: BEGIN,
      to: this.now,
    };
  }
}
