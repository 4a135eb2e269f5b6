import { createRequire } from "node:module";
import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type { Artifact } from "@nomicfoundation/ignition-core";
import { HELD_ROLES, ROLES, roleOf } from "../../scripts/governance/roles.ts";
import { GOVERNED_NAMES, selectorOf } from "../../src/chain/governed.ts";

/** OpenZeppelin's own build: the bytecode that they publish. */
const accessManager = createRequire(import.meta.url)(
  "@openzeppelin/contracts/build/contracts/AccessManager.json",
) as Artifact;

/**
 * The governed contracts with their roles, and VaultRecovery, which nobody governs.
 *
 * The deployer holds every role until `scripts/governance.ts hand-over`. AccessManager lets a delay of appointments begin five
 * days after it was set, so that the first appointments act at once.
 */
export default buildModule("Governance", (m) => {
  const deployer = m.getAccount(0);
  const manager = m.contract("AccessManager", accessManager, [deployer]);
  const deviceRegistry = m.contract("DeviceRegistry", [manager]);
  const partyRegistry = m.contract("PartyRegistry", [manager]);
  const emergencyAccess = m.contract("EmergencyAccess", [manager, partyRegistry]);
  const vaultRecovery = m.contract("VaultRecovery");
  const targets = {
    AccessManager: manager,
    DeviceRegistry: deviceRegistry,
    PartyRegistry: partyRegistry,
    EmergencyAccess: emergencyAccess,
  };

  const encode = (id: string, method: string, args: Parameters<typeof m.encodeFunctionCall>[2]) =>
    m.encodeFunctionCall(manager, method, args, { id: `${method}_${id}` });
  const named = ROLES.filter(({ name }) => name !== "ADMIN");
  // One transaction, in this order: appointments come before the roles that are to appoint, all or nothing.
  m.call(manager, "multicall", [
    [
      ...HELD_ROLES.map(({ name, id }) => encode(name, "grantRole", [id, deployer, 0])),
      ...named.map(({ name, id }) => encode(name, "labelRole", [id, name])),
      ...named.map(({ name, id, guardian }) => encode(name, "setRoleGuardian", [id, roleOf(guardian).id])),
      ...named.map(({ name, id, admin }) => encode(name, "setRoleAdmin", [id, roleOf(admin).id])),
      ...named.map(({ name, id, grantDelay }) => encode(name, "setGrantDelay", [id, grantDelay])),
      ...named.flatMap(({ name, id, may }) =>
        GOVERNED_NAMES.filter((target) => may[target] !== undefined).map((target) => {
          const selectors = (may[target] ?? []).map((method) => selectorOf(target, method));
          return encode(`${name}_${target}`, "setTargetFunctionRole", [targets[target], selectors, id]);
        }),
      ),
    ],
  ]);
  return { accessManager: manager, deviceRegistry, partyRegistry, emergencyAccess, vaultRecovery };
});
