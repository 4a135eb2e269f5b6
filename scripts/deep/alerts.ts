import { isDeepStrictEqual } from "node:util";
import { network } from "hardhat";
import { evaluate } from "../../src/alerts/evaluate.ts";
import type { Kind } from "../../src/alerts/rule.ts";
import { START } from "../../src/alerts/state.ts";
import { RuleEvaluator__factory } from "../../typechain-types/factories/RuleEvaluator__factory.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import { rulesCampaign } from "../../test/chain/rules-campaign.ts";
import { news2Cases, readNews2, responseByTable, scoresByTable } from "../../test/conformance/news2.ts";
import { PaperRows } from "../../test/integration/rig.ts";
import { dayOf, watchDay } from "./alert-day.ts";
import { killInThread } from "./alert-kills-thread.ts";
import { tamper } from "./alert-tampering.ts";

export interface DeepAlerts {
  readonly seed: number;
  /** Evaluations of the contract and its twin that were compared, and how many differ. */
  readonly cases: number;
  readonly disagreements: number;
  /** Alerts that the compared evaluations raised, by the kind of the rule. */
  readonly raised: Readonly<Record<Kind, number>>;
  /** Edges of the bands of NEWS2 and one unit beside each, and missing parameters: contract, twin and charts alike. */
  readonly news2: { readonly edges: number; readonly missing: number; readonly disagreements: number };
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
export async function run(
  scale: number,
  seed: number,
  tell: (what: string) => void = () => undefined,
): Promise<DeepAlerts> {
  const of = (all: number): number => Math.max(1, Math.round(all * scale));
  // Monitors are processes of their own: they live and are killed beside everything else.
  const killing = killInThread(of(KILLS), seed);
  killing.catch(() => undefined);
  const cases = of(CASES);
  const { disagreements, raised, news2 } = await compare(cases, seed);
  tell(`${cases} evaluations compared`);

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

  const { kills, lost, shownTwice } = await killing;
  const counts = { missed, false: false_, lost, shownTwice, unseen: unseen.length, blamed: blamed.length + honest };
  return {
    ...{ seed, cases, disagreements, raised, news2, episodes: day.injected.length, kills, tampered, ...counts },
    delays: { median: delays[delays.length >> 1] ?? 0, longest: delays.at(-1) ?? 0 },
    pass:
      disagreements + news2.disagreements === 0 &&
      Object.values(raised).every((count) => count > 0) &&
      Object.values(counts).every((count) => count === 0),
  };
}

type Compared = Pick<DeepAlerts, "disagreements" | "raised" | "news2">;

async function compare(cases: number, seed: number): Promise<Compared> {
  const connection = await network.create();
  try {
    const [deployer] = await connection.ethers.getSigners();
    const evaluator = await new RuleEvaluator__factory(deployer).deploy();
    const address = (await evaluator.getAddress()) as Hex;
    const code = (await evaluator.getDeployedCode()) as Hex;
    const judge = await RuleJudge.create(code, { chainId: 31337, address });
    const news2 = await compareNews2(judge);
    try {
      const { raised } = await rulesCampaign(judge, cases, seed);
      return { disagreements: 0, raised, news2 };
    } catch (error) {
      if ((error as Error).name !== "AssertionError") throw error;
      console.error((error as Error).message);
      return { disagreements: 1, raised: {} as Compared["raised"], news2 };
    }
  } finally {
    await connection.close();
  }
}

async function compareNews2(judge: RuleJudge): Promise<Compared["news2"]> {
  const news2 = readNews2();
  let [edges, missing, disagreements] = [0, 0, 0];
  for (const { scale, rule, parameters, missing: absent, observations } of news2Cases(news2)) {
    const [here, there] = [evaluate(rule, START, observations), await judge.evaluate(rule, START, observations)];
    const scores = scoresByTable(news2, scale, parameters);
    const total = BigInt(scores.reduce((sum, score) => sum + score, 0));
    const { measured, measure, level } = here.result;
    const isByChart = measured && measure === total && level === responseByTable(scores);
    if (absent === undefined) edges += 1;
    else missing += 1;
    if (!isDeepStrictEqual(here, there) || (absent === undefined ? !isByChart : measured)) disagreements += 1;
  }
  return { edges, missing, disagreements };
}
