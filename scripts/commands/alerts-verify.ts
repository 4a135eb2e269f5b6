import { deployedAt, pinnedCode } from "../../src/chain/deployment.ts";
import { RuleJudge } from "../../src/chain/rules.ts";
import { EXIT } from "../../src/errors.ts";
import type { AlertEvidence } from "../../src/monitor/audit-finding.ts";
import { auditAlerts } from "../../src/monitor/audit.ts";
import { verifyAlert, type AlertVerdict } from "../../src/monitor/verify.ts";
import { ALERTS, withAlerts } from "../cli/alerts.ts";
import type { Call, Command } from "../cli/command.ts";
import { shown } from "../cli/times.ts";

export const command: Command = {
  summary:
    "Works an alert out again from the anchored readings, and has the contract's own code settle it in this process: no reading goes to a node. That takes a grant to read what the rule looks at: without one only signatures and paths are checked. Exit 1 when it was not called for, or was not evaluated over these readings",
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
      const verdict = await verifyAlert(evidence, name, judge);
      const { rule, raisedAt, stated, sameReadings, called, settled } = verdict;
      if ((evidence.unread ?? []).includes(rule.name)) return signaturesOnly(call, evidence, verdict);
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

/** What can be said without the readings: the steps lie where they are anchored, which reading them has checked, and who signed. */
function signaturesOnly(call: Call, evidence: AlertEvidence, { alert, rule, raisedAt }: AlertVerdict): void {
  const findings = auditAlerts(evidence).findings.filter((one) => one.alert === alert && one.kind === "forged");
  const ok = findings.length === 0;
  call.io.result(
    { ok, alert, rule: rule.name, raisedAt, called: null, sameReadings: null, settled: null, findings },
    `${alert}, ${shown(Math.floor(raisedAt / 1000))}`,
    `  its steps are anchored under the keys that were released to you; ${ok ? "plan and answers are signed by who is said to have signed" : "not all is signed"}`,
    ...findings.map(({ text, object }) => `  ${text} (${object})`),
    "  not known whether the readings call for it: what the rule looks at was not released to you",
  );
  if (!ok) process.exitCode = EXIT.refused;
}
