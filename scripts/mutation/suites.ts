import { UsageError } from "../../src/errors.ts";

/** Sources that are tested together, and what must fail when one of them is changed. */
export interface Group {
  readonly sources: readonly string[];
  /** Test files, the cheapest first; a mutant is dead with the first test that fails. */
  readonly suites: readonly string[];
  /** Those that take long, for what the others leave alive. */
  readonly campaigns: readonly string[];
}

const tests = (...names: string[]): string[] => names.map((name) => `test/contracts/${name}.test.ts`);
const fuzz = (...names: string[]): string[] => names.map((name) => `test/contracts/${name}.t.sol`);

export const GROUPS: readonly Group[] = [
  {
    sources: ["ConsentLedger", "ConsentRegistry", "ConsentChain", "ConsentHash", "ConsentSignature"],
    suites: [
      ...tests("ConsentRegistry", "isPermitted", "allActions", "batch", "signers", "order"),
      ...fuzz("ConsentLedger", "ConsentSignature", "IsPermitted"),
    ],
    campaigns: tests("invariants"),
  },
  {
    sources: ["RecordAnchor", "Merkle"],
    suites: [...tests("RecordAnchor", "isPermitted"), ...fuzz("RecordAnchor", "Merkle")],
    campaigns: tests("invariants"),
  },
  {
    sources: ["DeviceRegistry", "DeviceKey"],
    suites: [...tests("DeviceRegistry", "deviceCallers", "deviceSuccession", "verifyBatch"), ...fuzz("DeviceRegistry")],
    campaigns: [...tests("Governance", "registries"), ...fuzz("DeviceInvariants")],
  },
  {
    sources: ["PartyRegistry", "PartyStanding"],
    suites: [...tests("PartyRegistry", "EmergencyAccess"), ...fuzz("EmergencyAccess")],
    campaigns: [...fuzz("PartyRegistry"), ...tests("Governance", "registries")],
  },
  {
    sources: ["EmergencyAccess", "EmergencyHash", "EmergencyTerms"],
    suites: [...tests("EmergencyAccess"), ...fuzz("EmergencyAccess")],
    campaigns: tests("Governance", "registries"),
  },
  {
    sources: ["VaultRecovery"],
    suites: [...tests("VaultRecovery"), ...fuzz("VaultRecovery")],
    campaigns: tests("Governance"),
  },
  {
    sources: ["AlertRules", "AlertEscalation", "RuleLimits"],
    suites: [...tests("ruleRefusals", "alertEvents"), ...fuzz("AlertRules", "AlertEscalation", "RuleEvaluator")],
    campaigns: ["test/chain/rules.test.ts"],
  },
  {
    sources: ["RuleEvaluator", "RuleEvaluation", "RuleMeasure", "Rounding"],
    suites: [...tests("ruleStates"), "test/chain/rules.test.ts", ...fuzz("RuleEvaluator", "AlertRules")],
    campaigns: [],
  },
];

/** @throws UsageError for a contract that no group names: it would be called dead or alive without a test. */
export function groupOf(file: string): Group {
  const name = /([^/]+)\.sol$/.exec(file)?.[1] ?? "";
  const group = GROUPS.find(({ sources }) => sources.includes(name));
  if (!group) throw new UsageError(`no tests are named for ${file}`, { hint: "add it to scripts/mutation/suites.ts" });
  return group;
}

export const testsOf = (file: string): string[] => {
  const { suites, campaigns } = groupOf(file);
  return [...suites, ...campaigns];
};
