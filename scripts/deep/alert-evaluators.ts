import { isDeepStrictEqual } from "node:util";
import { network } from "hardhat";
import { evaluate } from "../../src/alerts/evaluate.ts";
import type { Kind } from "../../src/alerts/rule.ts";
import { START } from "../../src/alerts/state.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { chainJudge } from "../../test/chain/chain-judge.ts";
import { rulesCampaign } from "../../test/chain/rules-campaign.ts";
import { news2Cases, readNews2, responseByTable, scoresByTable } from "../../test/conformance/news2.ts";
import { RuleEvaluator__factory } from "../../typechain-types/factories/RuleEvaluator__factory.ts";

export interface Compared {
  /** Evaluations of the contract and its twin that were compared, and how many differ: at the first one it ends. */
  readonly cases: number;
  readonly disagreements: number;
  /** Alerts that the compared evaluations raised, by the kind of the rule. */
  readonly raised: Readonly<Record<Kind, number>>;
  /** Edges of the bands of NEWS2 and one unit beside each, and missing parameters: contract, twin and charts alike. */
  readonly news2: { readonly edges: number; readonly missing: number; readonly disagreements: number };
}

/** Asks the contract and its twin the same. */
export async function compareEvaluators(cases: number, seed: number): Promise<Compared> {
  const connection = await network.create();
  try {
    const [deployer] = await connection.ethers.getSigners();
    const evaluator = await new RuleEvaluator__factory(deployer).deploy();
    const address = (await evaluator.getAddress()) as Hex;
    const code = (await evaluator.getDeployedCode()) as Hex;
    const judge = await RuleJudge.create(code, { chainId: 31337, address });
    const news2 = await compareNews2(judge);
    try {
      // By the code on the chain of the test; every fiftieth by the one that settles disputes, in this process.
      const { raised } = await rulesCampaign(chainJudge(connection, address), cases, seed);
      await rulesCampaign(judge, Math.ceil(cases / 50), seed + 1);
      return { cases, disagreements: 0, raised, news2 };
    } catch (error) {
      if ((error as Error).name !== "AssertionError") throw error;
      console.error((error as Error).message);
      return { cases, disagreements: 1, raised: {} as Compared["raised"], news2 };
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
