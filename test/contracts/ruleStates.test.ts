import { expect } from "chai";
import { network } from "hardhat";
import { fromHex } from "../../src/bytes/bytes.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { START } from "../../src/alerts/state.ts";
import { decodeEvaluation, encodeQuestion } from "../../src/chain/rules.ts";
import { BEGIN, ruleOf, value } from "../unit/alerts/samples.ts";

describe("states of a rule", () => {
  it("that none leaves behind are refused: a time without inputs, inputs of another number without a time", async () => {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const { state } = evaluate(ruleOf("difference"), START, [value(BEGIN, 1)]);
    for (const strange of [
      { ...START, time: BEGIN },
      { ...state, time: 0 },
    ]) {
      const call = { to: evaluator, data: encodeQuestion(ruleOf("threshold"), strange, []) };
      await expect(ethers.provider.call(call)).to.be.revertedWithCustomError(evaluator, "StateInvalid");
    }
  });

  it("do not begin with an observation without a time", async () => {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const call = { to: evaluator, data: encodeQuestion(ruleOf("threshold"), START, [value(0, 1)]) };
    await expect(ethers.provider.call(call))
      .to.be.revertedWithCustomError(evaluator, "ObservationOutOfOrder")
      .withArgs(0, 0);
  });

  it("keep the first reading of a rate, however early it is", async () => {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const [rule, readings] = [ruleOf("rate", { window: 10_000, minSpan: 1 }), [value(1, 1)]];
    const answer = await ethers.provider.call({ to: evaluator, data: encodeQuestion(rule, START, readings) });
    const here = evaluate(rule, START, readings);
    expect(here.state.history).to.have.length(1);
    expect(decodeEvaluation(fromHex(answer))).to.deep.equal(here);
  });
});
