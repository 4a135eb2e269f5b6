import type { ContractRunner, FunctionFragment, Interface } from "ethers";
import { DeviceRegistry__factory } from "../../typechain-types/factories/DeviceRegistry__factory.ts";
import { EmergencyAccess__factory } from "../../typechain-types/factories/EmergencyAccess__factory.ts";
import { PartyRegistry__factory } from "../../typechain-types/factories/PartyRegistry__factory.ts";
import { IGovernance__factory } from "../../typechain-types/factories/interfaces/IGovernance__factory.ts";
import type { IGovernance } from "../../typechain-types/interfaces/IGovernance.ts";

export type { IGovernance };

/** The contracts whose functions need roles, and the one that says who has them. */
export const GOVERNED_NAMES = ["AccessManager", "DeviceRegistry", "PartyRegistry", "EmergencyAccess"] as const;
export type GovernedName = (typeof GOVERNED_NAMES)[number];

/** Those that ask it. */
export const TARGET_NAMES = GOVERNED_NAMES.filter((name) => name !== "AccessManager");

export const GOVERNED_INTERFACES: Readonly<Record<GovernedName, Interface>> = {
  AccessManager: IGovernance__factory.createInterface(),
  DeviceRegistry: DeviceRegistry__factory.createInterface(),
  PartyRegistry: PartyRegistry__factory.createInterface(),
  EmergencyAccess: EmergencyAccess__factory.createInterface(),
};

/** Whom a governed contract asks; all of them say it alike. */
export const authorityOf = (address: string, runner: ContractRunner): Promise<string> =>
  DeviceRegistry__factory.connect(address, runner).authority();

export const governanceAt = (address: string, runner: ContractRunner): IGovernance =>
  IGovernance__factory.connect(address, runner);

/** @throws TypeError when the contract has no such function, or several. */
export function selectorOf(contract: GovernedName, name: string): string {
  const found = GOVERNED_INTERFACES[contract].getFunction(name);
  if (found === null) throw new TypeError(`${contract} has no function ${name}`);
  return found.selector;
}

/** Every function of a contract. */
export function functionsOf(contract: Interface): FunctionFragment[] {
  const found: FunctionFragment[] = [];
  contract.forEachFunction((each) => found.push(each));
  return found;
}
