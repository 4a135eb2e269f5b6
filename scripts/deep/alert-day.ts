import { Wallet } from "ethers";
import { mulberry32 } from "../../examples/simulate.ts";
import type { Rule } from "../../src/alerts/rule.ts";
import { hex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { signAnswer, type Act } from "../../src/monitor/answer.ts";
import type { AlertEvidence } from "../../src/monitor/audit-finding.ts";
import { Desk } from "../../src/monitor/desk.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { signPlan, type CarePlan, type SignedPlan } from "../../src/monitor/plan.ts";
import type { Observation } from "../../src/observation/observation.ts";
import type { Rows } from "../../src/state/rows.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
/** 2026-03-01T00:00:00Z */
export const BEGIN = 1_772_323_200_000;
const WRITE: Hex = `0x${"ab".repeat(32)}`;

const wallet = (name: string): Wallet => new Wallet(hex(sha256(utf8(name))));
const PATIENT = wallet("a patient");
export const RESPONDERS = { nurse: wallet("a nurse"), doctor: wallet("a doctor") } as const;

/** Six channels at 1 Hz: what is usual, what is an episode, and the limit between. */
export const CHANNELS = [
  { code: "8867-4", unit: "/min", usual: 74, episode: 140, limit: 125, digits: 0 },
  { code: "8889-8", unit: "/min", usual: 74, episode: 38, limit: 45, digits: 0 },
  { code: "59408-5", unit: "%", usual: 97, episode: 84, limit: 88, digits: 0 },
  { code: "9279-1", unit: "/min", usual: 15, episode: 34, limit: 28, digits: 0 },
  { code: "8310-5", unit: "Cel", usual: 368, episode: 401, limit: 390, digits: 1 },
  { code: "8478-0", unit: "mm[Hg]", usual: 91, episode: 52, limit: 60, digits: 0 },
] as const;

export const ruleOf = ({ code, unit, limit, usual, digits }: (typeof CHANNELS)[number]): Rule => ({
  name: `limit-${code}`,
  version: 1,
  kind: "threshold",
  inputs: [{ system: "http://loinc.org", code, unit, digits, maxAge: 30 * SECOND, bands: [] }],
  trigger: {
    comparator: limit > usual ? "atLeast" : "atMost",
    threshold: BigInt(limit),
    hysteresis: 2n,
    raiseAfter: 10 * SECOND,
    clearAfter: 30 * SECOND,
  },
  ...{ window: 0, minSpan: 0, per: 0, readings: 0, responses: [] },
});

export function dayPlan(id = "0123456789abcdef0123456789abcdef"): CarePlan {
  const watches = CHANNELS.map((channel) => ({
    rule: ruleOf(channel),
    responders: Object.keys(RESPONDERS),
    answerWithin: 3 * MINUTE,
    lateness: 10 * MINUTE,
    criticalFrom: 0,
  }));
  const responders = Object.entries(RESPONDERS).map(([name, { address }]) => ({ name, address: address as Hex }));
  return {
    id,
    patient: "Ann",
    watches,
    responders,
    sources: [],
    quiet: undefined,
    onChain: undefined,
    within: MINUTE,
    period: MINUTE,
    replaces: undefined,
  };
}

export const signedDayPlan = (plan = dayPlan()): Promise<SignedPlan> => signPlan(PATIENT, plan, WRITE);

export interface Injected {
  readonly rule: string;
  /** Milliseconds of its first and behind its last reading beyond the limit. */
  readonly from: number;
  readonly to: number;
}

/** The readings of a day by the second, and the episodes that were put into it. */
export interface Day {
  readonly seconds: readonly (readonly Observation[])[];
  readonly injected: readonly Injected[];
}

export function dayOf(seed: number, seconds: number): Day {
  const draw = mulberry32(seed);
  const between = (low: number, high: number): number => low + Math.floor(draw() * (high - low + 1));
  const all: Observation[][] = Array.from({ length: seconds }, () => []);
  const injected: Injected[] = [];
  for (const { code, unit, usual, episode, digits } of CHANNELS) {
    const channel = { code: { system: "http://loinc.org", code }, unit };
    let begin = between(30, 1200);
    let end = begin + between(45, 300);
    for (let second = 0; second < seconds; second++) {
      // The last one has time to be answered and to end.
      const isEpisode = second >= begin && second < end && end + 900 < seconds;
      if (isEpisode && second === begin)
        injected.push({ rule: `limit-${code}`, from: BEGIN + begin * SECOND, to: BEGIN + end * SECOND });
      if (second === end) {
        begin = end + between(1200, 3600);
        end = begin + between(45, 300);
      }
      const value = (isEpisode ? episode : usual) + between(-2, 2);
      const decimal = digits === 0 ? String(value) : (value / 10).toFixed(1);
      const time = new Date(BEGIN + second * SECOND).toISOString();
      all[second]?.push({ channel, time, status: "final", value: { kind: "quantity", decimal, comparator: "" } });
    }
  }
  return { seconds: all, injected };
}

interface Due {
  readonly at: number;
  readonly act: Act;
  readonly notice: Notice;
}

/** What became of a day at a desk. */
export interface Watched {
  readonly desk: Desk;
  readonly notices: readonly Notice[];
  readonly evidence: AlertEvidence;
}

/** Lets a desk watch over a day, with a few readings late and responders who mostly answer. */
export async function watchDay(day: Day, seed: number, rows: Rows): Promise<Watched> {
  const draw = mulberry32(seed + 1);
  const signed = await signedDayPlan();
  const { plan } = signed;
  const desk = new Desk(rows, new Uint8Array(32).fill(7));
  await desk.adopt(signed, BEGIN);
  const notices: Notice[] = [];
  const due: Due[] = [];
  const held: Observation[] = [];
  const told = (fresh: readonly Notice[]): void => {
    for (const notice of fresh) {
      notices.push(notice);
      // Who is asked first sometimes does not answer; who is asked next does.
      const answers = notice.kind === "escalated" || draw() < 0.8;
      if (answers) due.push({ at: notice.at + Math.floor(draw() * 150) * SECOND, act: "acknowledge", notice });
      if (answers && draw() < 0.2) due.push({ at: notice.at + 5 * SECOND, act: "snooze", notice });
    }
  };
  for (const [second, readings] of day.seconds.entries()) {
    const now = BEGIN + second * SECOND;
    const [late, inTime] = [draw() < 0.002 ? readings.slice(0, 1) : [], readings];
    const fed = inTime.filter((one) => !late.includes(one));
    held.push(...late);
    if (draw() < 0.01) fed.push(...held.splice(0));
    told(
      await desk.take(
        fed.map((recorded) => ({ plan: plan.id, recorded })),
        now,
      ),
    );
    for (const one of due.filter(({ at }) => at === now)) {
      const by = RESPONDERS[one.notice.to as keyof typeof RESPONDERS];
      const { alert, level } = one.notice;
      const until = one.act === "snooze" ? now + 2 * MINUTE : 0;
      const isOpen = desk
        .alertsOf(plan.id)
        .some(
          ({ id, resolvedBy, acknowledgedBy }) =>
            alert.endsWith(id) && resolvedBy === undefined && acknowledgedBy === undefined,
        );
      if (isOpen) told(await desk.answer(await signAnswer(by, { alert, act: one.act, until, level, at: now }), now));
    }
    await desk.state(now);
  }
  const to = BEGIN + day.seconds.length * SECOND;
  const readings = day.seconds.flat().filter((one) => !held.includes(one));
  const evidence: AlertEvidence = {
    plan,
    entries: desk.unsealed(plan.id).map((entry) => ({ entry, object: `header of entry ${entry.n}` })),
    readings: readings.map((recorded) => ({ recorded, object: `header of ${recorded.time}` })),
    from: BEGIN,
    to,
  };
  return { desk, notices, evidence };
}
