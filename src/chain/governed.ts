import type { ContractRunner, Interface } from "ethers";
import type { EmergencyAccess } from "../../typechain-types/EmergencyAccess.ts";
import type { PartyRegistry } from "../../typechain-types/PartyRegistry.ts";
import { EmergencyAccess__factory } from "../../typechain-types/factories/EmergencyAccess__factory.ts";
import { PartyRegistry__factory } from "../../typechain-types/factories/PartyRegistry__factory.ts";
import { IGovernance__factory } from "../../typechain-types/factories/interfaces/IGovernance__factory.ts";
import type { IGovernance } from "../../typechain-types/interfaces/IGovernance.ts";

export type { IGovernance };

/** The contracts whose functions need roles, and the one that says who has them. */
export const GOVERNED_NAMES = ["AccessManager", "PartyRegistry", "EmergencyAccess"] as const;
export type GovernedName = (typeof GOVERNED_NAMES)[number];

export const GOVERNED_INTERFACES: Readonly<Record<GovernedName, Interface>> = {
  AccessManager: IGovernance__factory.createInterface(),
  PartyRegistry: PartyRegistry__factory.createInterface(),
  EmergencyAccess: EmergencyAccess__factory.createInterface(),
};

/** A governed contract; all that they have in common is whom they ask. */
export const governedAt = (
  name: Exclude<GovernedName, "AccessManager">,
  address: string,
  runner: ContractRunner,
): PartyRegistry | EmergencyAccess =>
  (name === "PartyRegistry" ? PartyRegistry__factory : EmergencyAccess__factory).connect(address, runner);

export const governanceAt = (address: string, runner: ContractRunner): IGovernance =>
  IGovernance__factory.connect(address, runner);

/** @throws TypeError when the contract has no such function, or several. */
export function selectorOf(contract: GovernedName, name: string): string {
  const found = GOVERNED_INTERFACES[contract].getFunction(name);
  if (found === null) throw new TypeError(`${contract} has no function ${name}`);
  return found.selector;
}
