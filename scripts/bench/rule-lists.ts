import { network } from "hardhat";
import { BEGIN, ruleOf, value } from "../../test/unit/alerts/samples.ts";
import { ruleFields } from "../../src/alerts/abi.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import type { Rule } from "../../src/alerts/rule.ts";
import { START, type Observation } from "../../src/alerts/state.ts";
import { alertRulesAt } from "../../src/chain/contracts.ts";
import { encodeQuestion } from "../../src/chain/rules.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { measure } from "./floor.ts";
import { row, type ListRows } from "./lists.ts";

/** A score of so many inputs, each with so many bands, and so many responses. */
function scoreOf({ inputs = 1, bands = 1, responses = 1 }): Rule {
  const usual = ruleOf("score");
  const band = { low: -1_000_000n, high: 1_000_000n, score: 1 };
  const input = { ...(usual.inputs[0] as Rule["inputs"][number]), bands: Array.from({ length: bands }, () => band) };
  return {
    ...usual,
    inputs: Array.from({ length: inputs }, () => input),
    responses: Array.from({ length: responses }, (_, i) => ({ total: 0x0101, single: 1, level: i + 1 })),
  };
}

/** The lists of AlertRules and RuleEvaluator; an evaluation is asked in a transaction. */
export async function ruleListGas(): Promise<ListRows> {
  const connection = await network.create();
  try {
    const { ethers } = connection;
    const [publisher] = await ethers.getSigners();
    if (publisher === undefined) throw new Error("the node has no account");
    const library = alertRulesAt((await (await ethers.deployContract("AlertRules")).getAddress()) as Hex, publisher);
    const evaluator = await (await ethers.deployContract("RuleEvaluator")).getAddress();

    let published = 0;
    const publish = async (rule: Rule): Promise<number> => {
      const name = `rule-${String(++published).padStart(4, "0")}`;
      return (await measure(() => library.publish(ruleFields({ ...rule, name })), 0)).gas;
    };
    const judge = async (rule: Rule, before: readonly Observation[], given: readonly Observation[]) => {
      const data = encodeQuestion(rule, evaluate(rule, START, before).state, given);
      return (await measure(() => publisher.sendTransaction({ to: evaluator, data }), 0)).gas;
    };
    const values = (from: number, count: number): Observation[] =>
      Array.from({ length: count }, (_, i) => value(BEGIN + 1000 * (from + i), 80));
    const counting = ruleOf("count", { readings: 64 });
    const kept = (count: number) => judge(counting, values(0, count), values(count, 1));
    const scored = (inputs: number) =>
      judge(
        scoreOf({ inputs }),
        Array.from({ length: inputs }, (_, i) => value(BEGIN, 80, i)),
        values(1, 1),
      );
    const observed = (count: number) => judge(ruleOf("threshold"), values(0, 1), values(1, count));
    return {
      "AlertRules.publish, inputs": row(
        "input",
        [1, await publish(scoreOf({ inputs: 1 }))],
        [16, await publish(scoreOf({ inputs: 16 }))],
      ),
      "AlertRules.publish, bands of an input": row(
        "band",
        [1, await publish(scoreOf({ bands: 1 }))],
        [32, await publish(scoreOf({ bands: 32 }))],
      ),
      "AlertRules.publish, responses": row(
        "response",
        [1, await publish(scoreOf({ responses: 1 }))],
        [8, await publish(scoreOf({ responses: 8 }))],
      ),
      "evaluate, observations": row("observation", [1, await observed(1)], [101, await observed(101)]),
      "evaluate, inputs": row("input", [1, await scored(1)], [16, await scored(16)]),
      "evaluate, history": row("value", [3, await kept(3)], [63, await kept(63)]),
    };
  } finally {
    await connection.close();
  }
}
