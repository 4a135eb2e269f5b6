import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { id as keccakText } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import Governance from "../../ignition/modules/Governance.ts";
import { HELD_ROLES, roleOf, type RoleName } from "../../scripts/governance/roles.ts";
import { governanceAt } from "../../src/chain/governed.ts";
import type { Hex } from "../../src/consent/consent.ts";
import {
  CO_SIGN_TYPES,
  commitmentOf,
  emergencyDomain,
  recoveryDomain,
  type Declaration,
} from "../../src/emergency/typed-data.ts";
import { DAY, MINUTE, word } from "./ground.ts";

export const HOUR = 60 * MINUTE;

/** What the contracts call kinds and statuses, in their order. */
export const KIND = { None: 0, Organisation: 1, Clinician: 2, Researcher: 3, Insurer: 4, Auditor: 5, Gateway: 6 };
export const STATUS = { None: 0n, Accredited: 1n, Expired: 2n, Suspended: 3n, Revoked: 4n };
export const ROLE_STATUS = {
  Held: 0n,
  OrganisationSuspended: 1n,
  OrganisationNotAccredited: 2n,
  NotOnTeam: 3n,
  ClinicianSuspended: 4n,
  ReviewOverdue: 5n,
  ClinicianNotAccredited: 6n,
};

const NAMES = [
  "deployer",
  "admin",
  "guardian",
  "steward",
  "registrar",
  "protector",
  "officer",
  "reviewer",
  "organisation",
  "clinician",
  "colleague",
  "custodian",
  "patient",
  "gateway",
  "stranger",
] as const;
export type Actor = (typeof NAMES)[number];

/** Which role each of the actors holds, and no other. */
export const HOLDERS: Readonly<Record<Exclude<RoleName, "CONFIGURATION">, Actor>> = {
  ADMIN: "admin",
  GUARDIAN: "guardian",
  STEWARD: "steward",
  REGISTRAR: "registrar",
  PROTECTOR: "protector",
  OFFICER: "officer",
  REVIEWER: "reviewer",
  CUSTODIAN: "custodian",
};

/**
 * The governed contracts as Ignition deploys them, each role with one actor and the deployer without any, six days later, when the
 * delays of appointments are in force.
 */
export async function deployGoverned(connection: NetworkConnection) {
  const { ethers, networkHelpers, ignition } = connection;
  const signers = await ethers.getSigners();
  const actors = Object.fromEntries(NAMES.map((name, i) => [name, signers[i]])) as Record<Actor, HardhatEthersSigner>;
  const { accessManager, deviceRegistry, partyRegistry, emergencyAccess, vaultRecovery } =
    await ignition.deploy(Governance);
  const manager = governanceAt(await accessManager.getAddress(), actors.deployer);
  const devices = await ethers.getContractAt("DeviceRegistry", await deviceRegistry.getAddress());
  const parties = await ethers.getContractAt("PartyRegistry", await partyRegistry.getAddress());
  const emergency = await ethers.getContractAt("EmergencyAccess", await emergencyAccess.getAddress());
  const recovery = await ethers.getContractAt("VaultRecovery", await vaultRecovery.getAddress());
  const subordinateFirst = [...HELD_ROLES].sort((a, b) => Number(b.id - a.id));
  for (const { name, id, executionDelay } of subordinateFirst) {
    await manager.grantRole(id, actors[HOLDERS[name as keyof typeof HOLDERS]], executionDelay);
  }
  for (const { id } of subordinateFirst) await manager.renounceRole(id, actors.deployer);
  await networkHelpers.time.increase(6 * DAY);

  const { chainId } = await ethers.provider.getNetwork();
  const at = { chainId: Number(chainId), contract: (await emergency.getAddress()) as Hex };
  const recoveryAt = { ...at, contract: (await recovery.getAddress()) as Hex };
  const { time } = networkHelpers;

  /** Announces what an officer or the admin does, waits, and does it. */
  const afterDelay = async (role: RoleName, target: { getAddress(): Promise<string> }, data: string): Promise<void> => {
    const actor = actors[HOLDERS[role as keyof typeof HOLDERS]];
    const governed = manager.connect(actor);
    await governed.schedule(await target.getAddress(), data, 0);
    await time.increase(roleOf(role).executionDelay);
    await governed.execute(await target.getAddress(), data);
  };
  return {
    ...actors,
    actors,
    manager,
    devices,
    parties,
    emergency,
    recovery,
    domain: emergencyDomain(at),
    recoveryDomain: recoveryDomain(recoveryAt),
    time,
    afterDelay,
  };
}

export type Governed = Awaited<ReturnType<typeof deployGoverned>>;

/** A hospital with two clinicians on its emergency team, three emergencies a week. */
export async function deployHospital(connection: NetworkConnection) {
  const ground = await deployGoverned(connection);
  const { parties, emergency, registrar, organisation, clinician, colleague, time, afterDelay } = ground;
  const until = (await time.latest()) + 365 * DAY;
  const accredited = parties.connect(registrar);
  await accredited.accredit(organisation, KIND.Organisation, until, word());
  await accredited.accredit(clinician, KIND.Clinician, until, word());
  await accredited.accredit(colleague, KIND.Clinician, until, word());
  await emergency.connect(organisation).admit(clinician);
  await emergency.connect(organisation).admit(colleague);
  await afterDelay("OFFICER", emergency, emergency.interface.encodeFunctionData("setQuota", [organisation.address, 3]));
  // The first second of a week in which quotas are counted.
  await time.increaseTo(Math.ceil((await time.latest()) / (7 * DAY) + 1) * 7 * DAY);

  const declarationOf = (differs: Partial<Declaration> = {}): Declaration => ({
    grantor: ground.patient.address as Hex,
    scope: word(),
    dataStart: 0,
    dataEnd: 4_000_000_000,
    declarant: clinician.address as Hex,
    hpkeKey: keccakText("a key") as Hex,
    coSigner: colleague.address as Hex,
    reason: "Unconscious after a fall.",
    salt: word(),
    ...differs,
  });
  /** A declaration signed by the co-signer, ready to send. */
  const coSigned = async (differs: Partial<Declaration> = {}, term = 4 * HOUR, signer = colleague) => {
    const declaration = declarationOf(differs);
    const deadline = (await time.latest()) + 10 * MINUTE;
    const message = { declaration, organisation: organisation.address, term, deadline };
    const signature = await signer.signTypedData(ground.domain, CO_SIGN_TYPES, message);
    const commitment = commitmentOf(declaration);
    const args = [organisation.address, commitment, term, declaration.coSigner, deadline, signature] as const;
    return { declaration, commitment, args };
  };
  /** Declares an emergency of the clinician; gives its commitment. */
  const declared = async (term = 4 * HOUR): Promise<Hex> => {
    const { commitment, args } = await coSigned({}, term);
    await emergency.connect(clinician).declare(...args);
    return commitment;
  };
  return { ...ground, declarationOf, coSigned, declared };
}
