import { expect } from "chai";
import { network } from "hardhat";
import { encodeQuestion } from "../../src/chain/rules.ts";
import { ruleFields, ruleId } from "../../src/alerts/abi.ts";
import { evaluate } from "../../src/alerts/evaluate.ts";
import { START } from "../../src/alerts/state.ts";
import { AT_THE_LIMIT, REFUSED } from "../unit/alerts/refused.ts";
import { BEGIN, ruleOf, value } from "../unit/alerts/samples.ts";

// test/chain/rules.test.ts shows that the twin in TypeScript refuses the same.
describe("rules that are none", () => {
  const chain = network.create();

  it("are refused by the library", async () => {
    const { ethers } = await chain;
    const library = await ethers.deployContract("AlertRules");
    for (const [kind, differs] of REFUSED) {
      const rule = ruleOf(kind, differs);
      const publishing = library.getFunction("publish")(ruleFields(rule));
      await expect(publishing, kind).to.be.revertedWithCustomError(library, "RuleInvalid");
    }
  });

  it("begin beyond the limits, not at them", async () => {
    const { ethers } = await chain;
    const library = await ethers.deployContract("AlertRules");
    for (const [kind, differs] of AT_THE_LIMIT) {
      const rule = ruleOf(kind, differs);
      expect(await library.getFunction("ruleIdOf").staticCall(ruleFields(rule)), kind).to.equal(ruleId(rule));
    }
  });

  it("take no state of another rule", async () => {
    const { ethers } = await chain;
    const evaluator = await ethers.deployContract("RuleEvaluator");
    const { state } = evaluate(ruleOf("difference"), START, [value(BEGIN, 1)]);
    const call = { to: evaluator, data: encodeQuestion(ruleOf("threshold"), state, []) };
    await expect(ethers.provider.call(call)).to.be.revertedWithCustomError(evaluator, "StateInvalid");
  });
});
