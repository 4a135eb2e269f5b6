import { UsageError } from "../../src/errors.ts";

/** Contracts that are tested together: where their code is, and what must fail when it is changed. */
export interface Group {
  readonly sources: readonly string[];
  /** Artifacts whose code tells a change from none. */
  readonly artifacts: readonly string[];
  /** Arguments of Hardhat, the cheapest first; a mutant is dead with the first that fails. */
  readonly suites: readonly (readonly string[])[];
}

const solidity = (...names: string[]): string[] => [
  ...["test", "solidity", "--no-compile"],
  ...names.map((name) => `test/contracts/${name}.t.sol`),
];
const mocha = (...files: string[]): string[] => [
  ...["test", "mocha", "--no-compile", "--bail"],
  ...files.map((file) => `test/${file}.test.ts`),
];
const contracts = (...names: string[]): string[] => mocha(...names.map((name) => `contracts/${name}`));

export const GROUPS: readonly Group[] = [
  {
    sources: ["ConsentLedger", "ConsentRegistry", "ConsentChain", "ConsentHash", "ConsentSignature"],
    artifacts: ["ConsentRegistry"],
    suites: [
      solidity("ConsentLedger", "ConsentSignature", "IsPermitted"),
      contracts("ConsentRegistry", "signers", "batch", "isPermitted", "order"),
      contracts("invariants"),
    ],
  },
  {
    sources: ["RecordAnchor", "Merkle"],
    artifacts: ["RecordAnchor"],
    suites: [solidity("RecordAnchor", "Merkle"), contracts("RecordAnchor"), contracts("invariants")],
  },
  {
    sources: ["DeviceRegistry", "DeviceKey"],
    artifacts: ["DeviceRegistry"],
    suites: [
      solidity("DeviceRegistry"),
      contracts("DeviceRegistry", "deviceCallers", "deviceSuccession", "verifyBatch"),
      solidity("DeviceInvariants"),
    ],
  },
  {
    sources: ["PartyRegistry", "PartyStanding"],
    artifacts: ["PartyRegistry", "EmergencyAccess"],
    suites: [
      contracts("PartyRegistry"),
      solidity("PartyRegistry"),
      contracts("Governance"),
      solidity("EmergencyAccess"),
    ],
  },
  {
    sources: ["EmergencyAccess", "EmergencyHash", "EmergencyTerms"],
    artifacts: ["EmergencyAccess", "VaultRecovery"],
    suites: [contracts("EmergencyAccess", "VaultRecovery"), solidity("EmergencyAccess"), contracts("Governance")],
  },
  {
    sources: ["VaultRecovery"],
    artifacts: ["VaultRecovery"],
    suites: [contracts("VaultRecovery"), solidity("VaultRecovery"), contracts("Governance")],
  },
  {
    sources: ["AlertRules", "AlertEscalation", "RuleLimits"],
    artifacts: ["AlertRules", "RuleEvaluator"],
    suites: [solidity("AlertRules", "AlertEscalation", "RuleEvaluator"), mocha("chain/rules")],
  },
  {
    sources: ["RuleEvaluator", "RuleEvaluation", "RuleMeasure", "Rounding"],
    artifacts: ["RuleEvaluator"],
    suites: [solidity("RuleEvaluator"), mocha("chain/rules")],
  },
];

/** @throws UsageError for a contract that no group names: it would be called dead or alive without a test. */
export function groupOf(file: string): Group {
  const name = /([^/]+)\.sol$/.exec(file)?.[1] ?? "";
  const group = GROUPS.find(({ sources }) => sources.includes(name));
  if (!group) throw new UsageError(`no tests are named for ${file}`, { hint: "add it to scripts/mutation/suites.ts" });
  return group;
}
