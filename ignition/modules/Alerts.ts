import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

/** The library of alert rules, and what evaluates them; both stand alone. */
export default buildModule("Alerts", (m) => ({
  alertRules: m.contract("AlertRules"),
  ruleEvaluator: m.contract("RuleEvaluator"),
}));
