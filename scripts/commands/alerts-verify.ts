import { deployedAt, pinnedCode } from "../../src/chain/deployment.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import { EXIT } from "../../src/errors.ts";
import { NotPermittedError } from "../../src/grantee/errors.ts";
import { verifyAlert } from "../../src/monitor/verify.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Command } from "../cli/command.ts";
import { shown } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Works an alert out again from the anchored readings, and has the contract's own code settle it in this process: no reading goes to a node. It takes a grant to read what the rule looks at. Exit 1 when it was not called for, or was not evaluated over these readings",
  words: "ALERT",
  options: ALERTS,
  examples: [["alerts verify 1a2b3c4d/fast-heart/1772352000000 --as auditor", "as the list names it"]],
  run: (call) =>
    withAlerts(call, async (alerts) => {
      const { rpc, deployment } = alerts.chain;
      const name = call.word("alert");
      const evidence = await alerts.gather();
      const judge = await RuleJudge.create(await pinnedCode(rpc, deployment, "RuleEvaluator"), {
        chainId: deployment.chainId,
        address: deployedAt(deployment, "RuleEvaluator").address,
      });
      const { rule, raisedAt, stated, sameReadings, called, settled } = await verifyAlert(evidence, name, judge);
      if ((evidence.unread ?? []).includes(rule.name))
        throw new NotPermittedError("what the rule looks at was not released to you", {
          hint: "ask the patient for leave to read it; without, medseal verify --stream checks signatures and order",
        });
      const ok = called && sameReadings && settled === true;
      call.io.result(
        { ok, alert: name, rule: rule.name, raisedAt, called, sameReadings, settled, object: stated?.object },
        `${name}, ${shown(Math.floor(raisedAt / 1000))}`,
        stated === undefined
          ? "  nobody says that this time was evaluated"
          : `  the statement in ${stated.object} is ${sameReadings ? "" : "not "}over the readings that are anchored`,
        `  by these readings the rule ${called ? "calls" : "does not call"} for it`,
        `  the contract's own code ${settled === true ? "says the same" : settled === false ? "says otherwise" : "was not asked"}`,
      );
      if (!ok) process.exitCode = EXIT.refused;
    }),
};
