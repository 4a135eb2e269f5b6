import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { ruleFields, ruleId } from "../../src/alerts/abi.ts";
import { checkRule } from "../../src/alerts/limits.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { KINDS, type Rule } from "../../src/alerts/rule.ts";
import { START } from "../../src/alerts/state.ts";
import { alertRulesInterface } from "../../src/chain/contracts.ts";
import { ContractRefusedError } from "../../src/chain/errors.ts";
import { InProcessContract } from "../../src/chain/in-process.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { BEGIN, NEWS2_SCALE_1, NEWS2_SCALE_2, ruleOf, value } from "../unit/alerts/samples.ts";
import { REFUSED } from "../unit/alerts/refused.ts";
import { news2Cases, readNews2 } from "../conformance/news2.ts";
import { chainJudge } from "./chain-judge.ts";
import { rulesCampaign, type Judge } from "./rules-campaign.ts";

const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20261121);
const CASES = Number(process.env["MEDSEAL_RULES"] ?? 1000);

describe("rules in this process", function () {
  this.timeout(600_000);
  let connection: NetworkConnection;
  let judge: RuleJudge;
  let library: InProcessContract;
  /** The same code, asked of the chain of this test: much faster, and nobody else sees it. */
  let onChain: Judge;

  before(async () => {
    connection = await network.create();
    const { ethers } = connection;
    const codeOf = async (name: string): Promise<{ code: Hex; at: { chainId: number; address: Hex } }> => {
      const address = (await (await ethers.deployContract(name)).getAddress()) as Hex;
      return { code: (await ethers.provider.getCode(address)) as Hex, at: { chainId: 31337, address } };
    };
    const evaluator = await codeOf("RuleEvaluator");
    judge = await RuleJudge.create(evaluator.code, evaluator.at);
    onChain = chainJudge(connection, evaluator.at.address);
    const rules = await codeOf("AlertRules");
    library = await InProcessContract.create("AlertRules", alertRulesInterface, rules.code, rules.at);
  });
  after(() => connection.close());

  const idOnChain = async (rule: Rule): Promise<string> => {
    const data = alertRulesInterface.encodeFunctionData("ruleIdOf", [ruleFields(rule)]) as Hex;
    return alertRulesInterface.decodeFunctionResult("ruleIdOf", await library.call(data))[0] as string;
  };

  it("are judged by the contract and by its twin alike", async () => {
    const seen = await rulesCampaign(onChain, CASES, SEED);
    console.log(`      seed ${SEED}: ${JSON.stringify(seen)}`);
    await rulesCampaign(judge, CASES / 50, SEED + 1);
    for (const kind of KINDS) expect(seen.raised[kind], `alerts of ${kind}`).to.be.greaterThan(0);
    for (const [status, count] of Object.entries(seen.statuses)) expect(count, status).to.be.greaterThan(0);
    expect(seen.refused).to.be.greaterThan(0);
    expect(seen.cleared).to.be.greaterThan(0);
  });

  it("score NEWS2 alike at every edge of its bands, one unit beside it, and with each parameter missing", async function () {
    let compared = 0;
    for (const { rule, observations } of news2Cases(readNews2(this))) {
      expect(await onChain.evaluate(rule, START, observations)).to.deep.equal(evaluate(rule, START, observations));
      compared += 1;
    }
    console.log(`      ${compared} cases`);
    expect(compared).to.be.greaterThan(100);
  });

  it("have the same id on chain and here", async () => {
    for (const rule of [...KINDS.map((kind) => ruleOf(kind)), NEWS2_SCALE_1, NEWS2_SCALE_2]) {
      expect(await idOnChain(rule), rule.name).to.equal(ruleId(rule));
    }
  });

  it("are refused on chain and here alike", async () => {
    for (const [kind, differs] of REFUSED) {
      const rule = ruleOf(kind, differs);
      const label = `${kind} ${JSON.stringify(differs, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one))}`;
      expect(() => checkRule(rule), label)
        .to.throw()
        .with.property("code", "ERR_RULE_INVALID");
      const refusal = await idOnChain(rule).catch((error: unknown) => error);
      expect(refusal, label).to.be.instanceOf(ContractRefusedError).with.property("reason", "RuleInvalid");
    }
  });

  it("take no state of another rule", async () => {
    const { state } = evaluate(ruleOf("difference"), START, [value(BEGIN, 1)]);
    const refusal = await judge.evaluate(ruleOf("threshold"), state, []).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ContractRefusedError).with.property("reason", "StateInvalid");
    expect(() => evaluate(ruleOf("threshold"), state, []))
      .to.throw()
      .with.property("code", "ERR_NOT_OF_RULE");
  });
});
