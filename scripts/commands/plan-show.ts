import { UsageError } from "../../src/errors.ts";
import { formatPlan, planStatement } from "../../src/monitor/plan.ts";
import type { Command } from "../cli/command.ts";
import { readUserFile } from "../cli/files.ts";
import { withIdentity } from "../cli/home.ts";
import { describePlan, openPlan, signedOf } from "../cli/plan.ts";

export const command: Command = {
  summary: "Shows a care plan in words: one that was sealed to you, or without a file those that you signed",
  words: "[FILE]",
  options: {},
  examples: [
    ["plan show --as Ann", "the plans that Ann signed"],
    ["plan show ann.plan --as Monitor", "one that came by a file"],
  ],
  run: (call) =>
    withIdentity(call, async ({ vault }) => {
      const signed =
        call.words.length === 0
          ? (vault.plans ?? []).map(signedOf)
          : [await openPlan(await readUserFile(call.word("plan")), vault.hpke)];
      if (signed.length === 0) throw new UsageError("you have signed no plan yet", { hint: "see medseal plan --help" });
      const plans = signed.map(({ plan, write }) => ({
        ...(JSON.parse(formatPlan(plan)) as object),
        write,
        statement: planStatement(plan),
      }));
      call.io.result({ plans }, ...signed.flatMap(({ plan }) => describePlan(plan)));
    }),
};
