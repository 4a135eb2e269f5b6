import { expect } from "chai";
import { network } from "hardhat";
import { fromHex } from "../../src/bytes/bytes.ts";
import { evaluate, type Evaluation } from "../../src/alerts/evaluate.ts";
import { START } from "../../src/alerts/state.ts";
import { decodeEvaluation, encodeQuestion } from "../../src/chain/rules.ts";
import { BEGIN, ruleOf, value } from "../unit/alerts/samples.ts";

describe("states of a rule", () => {
  /** What the contract says, which its twin says too. */
  async function alike(...question: Parameters<typeof evaluate>): Promise<Evaluation> {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const answer = await ethers.provider.call({ to: evaluator, data: encodeQuestion(...question) });
    const there = decodeEvaluation(fromHex(answer));
    expect(there).to.deep.equal(evaluate(...question));
    return there;
  }

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
    const { state } = await alike(ruleOf("rate", { window: 10_000, minSpan: 1 }), START, [value(1, 1)]);
    expect(state.history).to.have.length(1);
  });

  it("keep the readings of a rate's window, more than a 64th of it apart", async () => {
    const rule = ruleOf("rate", { window: 6400, minSpan: 1 });
    const at = [0, 100, 101, 6400];
    const readings = at.map((time) => value(BEGIN + time, time));
    const full = await alike(rule, START, readings);
    expect(full.state.history.map(({ time }) => time - BEGIN)).to.deep.equal([0, 101, 6400]);
    const later = await alike(rule, full.state, [value(BEGIN + 6401, 1)]);
    expect(later.state.history.map(({ time }) => time - BEGIN)).to.deep.equal([101, 6400]);
    const latest = await alike(rule, full.state, [value(BEGIN + 20_000, 1)]);
    expect(latest.state.history.map(({ time }) => time - BEGIN)).to.deep.equal([20_000]);
  });

  it("with a latest reading and no history have no rate", async () => {
    const rule = ruleOf("rate", { minSpan: 1 });
    const { state } = evaluate(rule, START, [value(BEGIN, 1)]);
    const { result } = await alike(rule, { ...state, history: [] }, []);
    expect(result.status).to.equal("waiting");
  });
});
