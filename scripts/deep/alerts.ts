import { auditAlerts } from "../../src/monitor/audit.ts";
import { PaperRows } from "../../test/integration/rig.ts";
import { dayOf, watchDay } from "./alert-day.ts";
import { inThread } from "./alert-thread.ts";
import type { Compared } from "./alert-evaluators.ts";
import { tamper } from "./alert-tampering.ts";
import { hushWorse } from "./alert-worse.ts";

export interface DeepAlerts extends Compared {
  readonly seed: number;
  /** Injected into a day of six channels at 1 Hz; without an alert; alerts without one. */
  readonly episodes: number;
  readonly missed: number;
  readonly false: number;
  /** Milliseconds from the moment that the rule calls for the alert until somebody was told. */
  readonly delays: { readonly median: number; readonly longest: number };
  readonly kills: number;
  readonly lost: number;
  readonly shownTwice: number;
  readonly tampered: number;
  /** Times at which responders were asked again as an alert got worse, or as it came back, and of how many a record was taken. */
  readonly worse: number;
  readonly back: number;
  readonly hushed: number;
  readonly unseen: number;
  readonly blamed: number;
  readonly pass: boolean;
}

const CASES = 100_000;
const DAY = 86_400;
const KILLS = 500;
const TAMPERINGS = 1000;
/** Patients who get worse and better for two hours. */
const BEDS = 200;

/**
 * The campaign of the alerts.
 *
 * @param scale - 1 for all of it; parts of it have less of everything.
 */
export async function run(
  scale: number,
  seed: number,
  tell: (what: string) => void = () => undefined,
): Promise<DeepAlerts> {
  const of = (all: number): number => Math.max(1, Math.round(all * scale));
  // The three parts have nothing to do with one another.
  const threads = Promise.all([
    inThread("compare", of(CASES), seed).then((compared) => {
      tell(`${compared.cases} evaluations compared`);
      return compared;
    }),
    inThread("kill", of(KILLS), seed).then((killed) => {
      tell(`${killed.kills} kills`);
      return killed;
    }),
  ]);
  threads.catch(() => undefined);

  const day = dayOf(seed, Math.max(4800, of(DAY)));
  const { evidence, notices } = await watchDay(day, seed, new PaperRows());
  const first = notices.filter(({ kind }) => kind === "notified");
  const isOf = (
    alert: { rule: string; raisedAt: number },
    { rule, from, to }: (typeof day.injected)[number],
  ): boolean => alert.rule === rule && alert.raisedAt >= from && alert.raisedAt < to + 60_000;
  const alerts = [...new Map(first.map((notice) => [notice.alert, notice])).values()];
  const missed = day.injected.filter((episode) => alerts.filter((alert) => isOf(alert, episode)).length !== 1).length;
  const false_ = alerts.filter((alert) => !day.injected.some((episode) => isOf(alert, episode))).length;
  const delays = alerts.map(({ at, raisedAt }) => at - raisedAt).sort((a, b) => a - b);

  tell(`a day with ${day.injected.length} episodes watched over`);
  const short = day.seconds.length > 4800 ? await watchDay(dayOf(seed, 4800), seed, new PaperRows()) : { evidence };
  const honest = [evidence, short.evidence].flatMap((one) => auditAlerts(one).findings).length;
  const tampered = of(TAMPERINGS);
  const { unseen, blamed } = tamper(short.evidence, tampered, seed);
  tell(`${tampered} records tampered with`);
  const { worse, back, hushed, ...silent } = await hushWorse(of(BEDS), seed, () => new PaperRows());
  for (const one of [...silent.unseen, ...silent.blamed]) tell(one);
  tell(`responders asked again ${worse + back} times, ${hushed} of them taken from the record`);

  const [{ cases, disagreements, raised, news2 }, { kills, lost, shownTwice }] = await threads;
  const counts = {
    ...{ missed, false: false_, lost, shownTwice },
    unseen: unseen.length + silent.unseen.length,
    blamed: blamed.length + silent.blamed.length + honest,
  };
  return {
    ...{
      seed,
      cases,
      disagreements,
      raised,
      news2,
      episodes: day.injected.length,
      kills,
      tampered,
      worse,
      back,
      hushed,
      ...counts,
    },
    delays: { median: delays[delays.length >> 1] ?? 0, longest: delays.at(-1) ?? 0 },
    pass:
      disagreements + news2.disagreements === 0 &&
      Object.values(raised).every((count) => count > 0) &&
      Object.values(counts).every((count) => count === 0),
  };
}
