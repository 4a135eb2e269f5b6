import { expect } from "chai";
import { network } from "hardhat";
import { fromHex } from "../../src/bytes/bytes.ts";
import { evaluate, type Evaluation } from "../../src/alerts/evaluate.ts";
import { START } from "../../src/alerts/state.ts";
import { decodeEvaluation, encodeQuestion } from "../../src/chain/rules.ts";
import { BEGIN, heartRate, ruleOf, say, SECOND, value } from "../unit/alerts/samples.ts";

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

  it("do not go back in time", async () => {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const { state } = evaluate(ruleOf("threshold"), START, [value(BEGIN, 1)]);
    const call = { to: evaluator, data: encodeQuestion(ruleOf("threshold"), state, [value(BEGIN - 1, 1)]) };
    await expect(ethers.provider.call(call))
      .to.be.revertedWithCustomError(evaluator, "ObservationOutOfOrder")
      .withArgs(BEGIN - 1, BEGIN);
  });

  it("take observations of their inputs with at most 18 decimals", async () => {
    const { ethers } = await network.create();
    const evaluator = await ethers.deployContract("RuleEvaluator");
    for (const strange of [value(BEGIN, 1, 1), value(BEGIN, 1, 0, 19)]) {
      const call = { to: evaluator, data: encodeQuestion(ruleOf("threshold"), START, [strange]) };
      await expect(ethers.provider.call(call)).to.be.revertedWithCustomError(evaluator, "ObservationInvalid");
    }
    const { state } = await alike(ruleOf("threshold"), START, [value(BEGIN, 2n * 10n ** 18n, 0, 18)]);
    expect(state.inputs[0]?.latest.value).to.equal(2n);
  });

  it("under a rule that has changed are judged at the last moment of their values", async () => {
    const end = BEGIN + heartRate.maxAge;
    const { state } = evaluate(ruleOf("threshold"), START, [value(BEGIN, 110), say(end, "clock")]);
    const stricter = ruleOf("threshold", { trigger: { threshold: 100n } });
    const later = await alike(stricter, state, [say(end + SECOND, "clock")]);
    expect(later.state).to.include({ active: true, changedAt: end });
  });

  it("under a rule that counts fewer readings keep no more than it counts", async () => {
    const readings = [1, 2, 3, 4, 5].map((mantissa, i) => value(BEGIN + i, mantissa));
    const { state } = evaluate(ruleOf("count"), START, readings);
    const later = await alike(ruleOf("count", { readings: 2, trigger: { threshold: 2n } }), state, [
      value(BEGIN + 5, 6),
    ]);
    expect(later.state.history.map((reading) => reading.value)).to.deep.equal([5n, 6n]);
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

  it("that score nothing call for nothing", async () => {
    const rule = ruleOf("score", { responses: [{ total: 0, single: 1, level: 1 }] });
    const { result } = await alike(rule, START, [value(BEGIN, 119)]);
    expect(result).to.include({ measure: 0n, level: 0, active: false });
  });

  it("with a latest reading and no history have no rate", async () => {
    const rule = ruleOf("rate", { minSpan: 1 });
    const { state } = evaluate(rule, START, [value(BEGIN, 1)]);
    const { result } = await alike(rule, { ...state, history: [] }, []);
    expect(result.status).to.equal("waiting");
  });
});
