import type { ContractRunner, Interface } from "ethers";
import { AlertRules__factory } from "../../typechain-types/factories/AlertRules__factory.ts";
import { ConsentRegistry__factory } from "../../typechain-types/factories/ConsentRegistry__factory.ts";
import { RecordAnchor__factory } from "../../typechain-types/factories/RecordAnchor__factory.ts";
import { RuleEvaluator__factory } from "../../typechain-types/factories/RuleEvaluator__factory.ts";
import type { AlertRules, AlertRulesInterface } from "../../typechain-types/AlertRules.ts";
import type { ConsentRegistry, ConsentRegistryInterface } from "../../typechain-types/ConsentRegistry.ts";
import type { RecordAnchor, RecordAnchorInterface } from "../../typechain-types/RecordAnchor.ts";
import type { RuleEvaluatorInterface } from "../../typechain-types/RuleEvaluator.ts";
import type { Hex } from "../consent/consent.ts";

/** The contracts of every deployment, by their names in Solidity. */
export const CONTRACT_NAMES = ["ConsentRegistry", "RecordAnchor"] as const;
/** Those of a deployment that has alerts. */
export const ALERT_CONTRACT_NAMES = ["AlertRules", "RuleEvaluator"] as const;
export type ContractName = (typeof CONTRACT_NAMES)[number];
export type AlertContractName = (typeof ALERT_CONTRACT_NAMES)[number];
export type AnyContractName = ContractName | AlertContractName;

export const registryInterface: ConsentRegistryInterface = ConsentRegistry__factory.createInterface();
export const anchorInterface: RecordAnchorInterface = RecordAnchor__factory.createInterface();
export const alertRulesInterface: AlertRulesInterface = AlertRules__factory.createInterface();
export const evaluatorInterface: RuleEvaluatorInterface = RuleEvaluator__factory.createInterface();

export const INTERFACES: Readonly<Record<AnyContractName, Interface>> = {
  ConsentRegistry: registryInterface,
  RecordAnchor: anchorInterface,
  AlertRules: alertRulesInterface,
  RuleEvaluator: evaluatorInterface,
};

/** Warning: calls of `isPermitted`, `consentIdOf` and `entryOf` through this go to the node in clear; see permission.ts. */
export const registryAt = (address: Hex, runner: ContractRunner): ConsentRegistry =>
  ConsentRegistry__factory.connect(address, runner);

export const anchorAt = (address: Hex, runner: ContractRunner): RecordAnchor =>
  RecordAnchor__factory.connect(address, runner);

export const alertRulesAt = (address: Hex, runner: ContractRunner): AlertRules =>
  AlertRules__factory.connect(address, runner);
