import { ruleId } from "../../src/alerts/abi.ts";
import { publishRule } from "../../src/chain/rule-library.ts";
import type { Command } from "../cli/command.ts";
import { withChain } from "../cli/chain.ts";
import { withIdentity } from "../cli/home.ts";
import { walletOf } from "../cli/patient.ts";
import { describeRule, ruleNamed } from "../cli/rules.ts";
import { OWN_ADDRESS } from "../cli/vault.ts";

export const command: Command = {
  summary:
    "Publishes an alert rule in AlertRules, for good: anybody may use it and compare, and it can be retired but never altered. It shows who publishes what, and nothing of any patient",
  words: "NAME|FILE",
  options: { yes: { type: "boolean", help: "publishes without asking" } },
  examples: [["rules publish fast-heart --as clinic", "needs ether at the identity's own address"]],
  async run(call) {
    const rule = await ruleNamed(call.word("rule"));
    call.io.note(...describeRule(rule));
    await call.io.confirm("Publish this for everybody, for good?");
    await withIdentity(call, ({ vault }) =>
      withChain(async ({ rpc, deployment }) => {
        const mined = await publishRule(rule, walletOf(vault).signer(OWN_ADDRESS, rpc), deployment);
        call.io.result(
          { id: ruleId(rule), ...mined },
          `${rule.name}, version ${rule.version}, is published: block ${mined.block}, ${mined.gas.toLocaleString("en")} gas`,
        );
      }),
    );
  },
};
