import { network } from "hardhat";
import { RuleEvaluator__factory } from "../../typechain-types/factories/RuleEvaluator__factory.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import { rulesCampaign } from "../../test/chain/rules-campaign.ts";
import { PaperRows } from "../../test/integration/rig.ts";
import { dayOf, watchDay } from "./alert-day.ts";
import { killMonitors } from "./alert-kills.ts";
import { tamper } from "./alert-tampering.ts";

export interface DeepAlerts {
  readonly seed: number;
  /** Evaluations of the contract and its twin that were compared, and how many differ. */
  readonly cases: number;
  readonly disagreements: number;
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
  readonly unseen: number;
  readonly blamed: number;
  readonly pass: boolean;
}

const CASES = 100_000;
const DAY = 86_400;
const KILLS = 500;
const TAMPERINGS = 1000;

/**
 * The campaign of the alerts.
 *
 * @param scale - 1 for all of it; parts of it have less of everything.
 */
export async function run(scale: number, seed: number): Promise<DeepAlerts> {
  const of = (all: number): number => Math.max(1, Math.round(all * scale));
  const cases = of(CASES);
  const disagreements = await compare(cases, seed);

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

  const short = day.seconds.length > 4800 ? await watchDay(dayOf(seed, 4800), seed, new PaperRows()) : { evidence };
  const honest = [evidence, short.evidence].flatMap((one) => auditAlerts(one).findings).length;
  const tampered = of(TAMPERINGS);
  const { unseen, blamed } = tamper(short.evidence, tampered, seed);

  const { kills, lost, shownTwice } = await killMonitors(of(KILLS), seed);
  const counts = { missed, false: false_, lost, shownTwice, unseen: unseen.length, blamed: blamed.length + honest };
  return {
    ...{ seed, cases, disagreements, episodes: day.injected.length, kills, tampered, ...counts },
    delays: { median: delays[delays.length >> 1] ?? 0, longest: delays.at(-1) ?? 0 },
    pass: disagreements === 0 && Object.values(counts).every((count) => count === 0),
  };
}

async function compare(cases: number, seed: number): Promise<number> {
  const connection = await network.create();
  try {
    const [deployer] = await connection.ethers.getSigners();
    const evaluator = await new RuleEvaluator__factory(deployer).deploy();
    const address = (await evaluator.getAddress()) as Hex;
    const code = (await evaluator.getDeployedCode()) as Hex;
    const judge = await RuleJudge.create(code, { chainId: 31337, address });
    try {
      await rulesCampaign(judge, cases, seed);
      return 0;
    } catch (error) {
      if ((error as Error).name !== "AssertionError") throw error;
      console.error((error as Error).message);
      return 1;
    }
  } finally {
    await connection.close();
  }
}
