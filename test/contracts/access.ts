import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { BaseContract, Interface } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { GOVERNED_INTERFACES } from "../../src/chain/governed.ts";
import { consentId, type Hex } from "../../src/consent/consent.ts";
import { registryDomain } from "../../src/consent/typed-data.ts";
import { VETO_TYPES } from "../../src/emergency/typed-data.ts";
import { alertRows } from "./accessAlerts.ts";
import { deviceRows } from "./accessDevices.ts";
import { deployHospital, HOLDERS, KIND, type Actor } from "./governed.ts";
import { consentOf, DAY, signGrant, signRevoke, signRevokeAll, word } from "./ground.ts";

/**
 * What came of a call: `yes` at once; `later`, refused now and done after it was announced; `own`, done without a trace in the state of
 * whom it concerns; `–`, refused.
 */
export type Outcome = "yes" | "later" | "own" | "–";

/** One function, called for somebody: what concerns them is watched. */
export interface Row {
  readonly contract: string;
  readonly method: string;
  /** Whose state, in words. */
  readonly of: string;
  args(actor: HardhatEthersSigner): unknown[] | Promise<unknown[]>;
  watch(): Promise<unknown>;
  /** Brings about what the call needs. */
  before?(): Promise<unknown>;
}

export interface Cells {
  readonly row: Row;
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

export const COLUMNS: readonly Actor[] = [
  ...Object.values(HOLDERS),
  "deployer",
  "organisation",
  "clinician",
  "patient",
  "gateway",
  "stranger",
];

const ZERO = `0x${"0".repeat(64)}`;

/** Every contract, and for each of its functions a call that succeeds for whoever may make it. */
export async function deployAll(connection: NetworkConnection) {
  const { ethers } = connection;
  const ground = await deployHospital(connection);
  const registry = await ethers.deployContract("ConsentRegistry");
  const anchor = await ethers.deployContract("RecordAnchor");
  const { manager, parties, emergency, recovery, time, actors } = ground;
  const { organisation, clinician, patient, gateway, stranger, registrar, protector, officer } = ground;
  const { chainId } = await ethers.provider.getNetwork();
  const domain = registryDomain({ chainId: Number(chainId), registry: (await registry.getAddress()) as Hex });

  const consent = consentOf(patient.address, clinician.address);
  const id = consentId(consent);
  const recoveryId = word();
  const hpkeKey = word();
  const now = await time.latest();
  const until = now + 30 * DAY;
  const signed = await ground.coSigned();
  const running = await ground.declared(60);
  await time.increase(60);
  const open = await ground.coSigned();
  const party = (row: Omit<Row, "contract" | "watch" | "of">): Row => ({
    contract: "PartyRegistry",
    of: "a party",
    watch: async () => [
      await parties.statusAt(clinician, 2n ** 48n - 1n),
      await parties.accreditationOf(clinician),
      await parties.keysOf(clinician),
      await parties.proposedKeysOf(clinician),
      await parties.authority(),
    ],
    ...row,
  });
  const access = (row: Omit<Row, "contract" | "watch" | "of"> & { of?: string }): Row => ({
    contract: "EmergencyAccess",
    of: "an organisation or a clinician",
    watch: async () => [
      await emergency.emergencyOf(clinician, signed.commitment),
      await emergency.emergencyOf(clinician, open.commitment),
      await emergency.recordOf(clinician),
      await emergency.quotaOf(organisation),
      await emergency.suspendedAt(clinician),
      await emergency.roleStatus(organisation, clinician),
      await emergency.roleStatus(organisation, stranger),
      await emergency.authority(),
    ],
    ...row,
  });
  const patients = (contract: string, row: Omit<Row, "contract" | "watch" | "of">): Row => ({
    contract,
    of: "a patient",
    watch: async () => [
      await registry.entryOf(patient, id),
      await registry.endedBefore(patient),
      await recovery.recoveryOf(patient, recoveryId),
    ],
    ...row,
  });
  const emergencyAddress = await emergency.getAddress();
  const quota = emergency.interface.encodeFunctionData("setQuota", [organisation.address, 9]);
  const suspension = parties.interface.encodeFunctionData("suspend", [clinician.address]);
  const announce = () => manager.connect(officer).schedule(emergencyAddress, quota, 0);
  const announced = async () => {
    await announce();
    await time.increase(2 * DAY);
  };
  const governs = (method: string, of: string, args: unknown[], before?: Row["before"]): Row => ({
    contract: "AccessManager",
    method,
    of,
    args: () => args,
    ...(before === undefined ? {} : { before }),
    watch: async () => [
      await manager.hasRole(3, stranger),
      await manager.getAccess(3, stranger),
      await manager.getAccess(3, registrar),
      await manager.getAccess(5, stranger),
      await manager.getRoleAdmin(3),
      await manager.getRoleGuardian(3),
      await manager.getTargetFunctionRole(
        parties,
        GOVERNED_INTERFACES.PartyRegistry.getFunction("resume")?.selector ?? "",
      ),
      await manager.isTargetClosed(parties),
      await manager.getSchedule(await manager.hashOperation(officer, emergencyAddress, quota)),
      await emergency.quotaOf(organisation),
      await parties.statusAt(clinician, 2n ** 48n - 1n),
      await parties.authority(),
      (await manager.queryFilter(manager.filters.RoleLabel())).length,
      (await manager.queryFilter(manager.filters.RoleGrantDelayChanged())).length,
      (await manager.queryFilter(manager.filters.TargetAdminDelayUpdated())).length,
    ],
  });
  const alerts = await alertRows(ground, connection);
  const partiesAddress = await parties.getAddress();
  const issuedAt = await time.latest();

  const rows: Row[] = [
    party({ method: "accredit", args: () => [clinician.address, KIND.Clinician, until, word()] }),
    party({ method: "suspend", args: () => [clinician.address] }),
    party({ method: "revoke", args: () => [clinician.address] }),
    party({
      method: "resume",
      args: () => [clinician.address],
      before: () => parties.connect(protector).suspend(clinician),
    }),
    party({ method: "proposeKeys", args: () => [hpkeKey, word()] }),
    party({
      method: "cancelKeys",
      args: () => [],
      before: () => parties.connect(clinician).proposeKeys(hpkeKey, word()),
    }),
    party({
      method: "retireKeys",
      args: () => [hpkeKey],
      before: async () => {
        await parties.connect(clinician).proposeKeys(hpkeKey, word());
        await time.increase(2 * DAY);
      },
    }),
    party({ method: "setAuthority", args: () => [partiesAddress] }),

    access({ method: "declare", args: () => [...signed.args] }),
    access({
      method: "end",
      args: () => [open.commitment],
      before: () => emergency.connect(clinician).declare(...open.args),
    }),
    access({
      method: "postNotice",
      of: "custodians",
      args: () => [clinician.address, open.commitment, word()],
      before: () => emergency.connect(clinician).declare(...open.args),
    }),
    access({ method: "review", args: () => [clinician.address, running, ZERO, true, word()] }),
    access({ method: "admit", args: () => [stranger.address] }),
    access({ method: "dismiss", args: () => [clinician.address] }),
    access({ method: "setQuota", args: () => [organisation.address, 9] }),
    access({ method: "suspend", args: () => [clinician.address] }),
    access({
      method: "reinstate",
      args: () => [clinician.address],
      before: () => emergency.connect(protector).suspend(clinician),
    }),
    access({ method: "setAuthority", args: () => [partiesAddress] }),

    patients("VaultRecovery", { method: "declareRecovery", args: () => [patient.address, recoveryId] }),
    patients("VaultRecovery", { method: "vetoRecovery", args: () => [recoveryId] }),
    patients("VaultRecovery", {
      method: "vetoRecoveryBySig",
      args: async (actor) => [
        patient.address,
        recoveryId,
        await actor.signTypedData(ground.recoveryDomain, VETO_TYPES, { patient: patient.address, recoveryId }),
      ],
    }),

    patients("ConsentRegistry", { method: "grant", args: () => [id] }),
    patients("ConsentRegistry", { method: "revoke", args: () => [id] }),
    patients("ConsentRegistry", { method: "revokeAll", args: () => [] }),
    patients("ConsentRegistry", {
      method: "grantBySig",
      args: async (actor) => {
        const grant = await signGrant(actor, domain, consent, issuedAt);
        return [patient.address, id, grant.issuedAt, grant.deadline, grant.signature];
      },
    }),
    patients("ConsentRegistry", {
      method: "grantManyBySig",
      args: async (actor) => [
        [{ grantor: patient.address, consentId: id, ...(await signGrant(actor, domain, consent, issuedAt)) }],
      ],
    }),
    patients("ConsentRegistry", {
      method: "revokeManyBySig",
      args: async (actor) => [
        [{ grantor: patient.address, consentId: id, signature: await signRevoke(actor, domain, consent) }],
      ],
    }),
    patients("ConsentRegistry", {
      method: "revokeBySig",
      args: async (actor) => [patient.address, id, await signRevoke(actor, domain, consent)],
    }),
    patients("ConsentRegistry", {
      method: "revokeAllBySig",
      args: async (actor) => [patient.address, issuedAt, await signRevokeAll(actor, domain, patient.address, issuedAt)],
    }),
    {
      contract: "RecordAnchor",
      method: "anchor",
      of: "a gateway",
      args: () => [word(), word(), 1, ZERO],
      watch: async () => anchor.headOf(gateway),
    },

    ...(await deviceRows(ground, ethers.provider)),
    ...alerts.rows,

    governs("schedule", "an OFFICER's act", [emergencyAddress, quota, 0]),
    governs("cancel", "an OFFICER's act", [officer.address, emergencyAddress, quota], announce),
    governs("execute", "an OFFICER's act", [emergencyAddress, quota], announced),
    governs("execute", "a PROTECTOR's act", [partiesAddress, suspension]),
    governs("consumeScheduledOp", "an OFFICER's act", [officer.address, quota], announced),
    governs("renounceRole", "REGISTRAR", [3, registrar.address]),
    governs("grantRole", "REGISTRAR", [3, stranger.address, 0]),
    governs("revokeRole", "REGISTRAR", [3, registrar.address]),
    governs("grantRole", "OFFICER", [5, stranger.address, 0]),
    governs("setRoleAdmin", "a role", [3, 6]),
    governs("setRoleGuardian", "a role", [3, 6]),
    governs("setGrantDelay", "a role", [3, 0]),
    governs("labelRole", "a role", [3, "KING"]),
    governs("setTargetFunctionRole", "a contract", [
      partiesAddress,
      [GOVERNED_INTERFACES.PartyRegistry.getFunction("resume")?.selector],
      3,
    ]),
    governs("setTargetAdminDelay", "a contract", [partiesAddress, 9]),
    governs("setTargetClosed", "a contract", [partiesAddress, true]),
    governs("updateAuthority", "a contract", [partiesAddress, await anchor.getAddress()]),
  ];
  const contracts: Record<string, BaseContract> = {
    DeviceRegistry: ground.devices,
    PartyRegistry: parties,
    EmergencyAccess: emergency,
    VaultRecovery: recovery,
    ConsentRegistry: registry,
    RecordAnchor: anchor,
    AlertRules: alerts.rules,
    RuleEvaluator: await ethers.deployContract("RuleEvaluator"),
    AccessManager: manager,
  };
  return { ...ground, registry, anchor, rows, contracts, actors };
}

export type Everything = Awaited<ReturnType<typeof deployAll>>;

/** Functions by which the authority and its contracts talk to each other: no account has a say. */
const CONTRACTS_ONLY = ["setAuthority", "consumeScheduledOp"];

/** What a contract says to whom it does not know; every other error is one of the test. */
const REFUSALS = new Set([
  "AccessManagedUnauthorized",
  "AccessManagerBadConfirmation",
  "AccessManagerUnauthorizedAccount",
  "AccessManagerUnauthorizedCall",
  "AccessManagerUnauthorizedCancel",
  "AccessManagerUnauthorizedConsume",
  "AlertAcknowledgementInvalid",
  "ConsentSignatureInvalid",
  "DeviceCustodyNotHeld",
  "DeviceCustodyNotOffered",
  "EmergencyCoSignatureInvalid",
  "EmergencyRoleNotHeld",
  "EmergencyUnknown",
  "PartyKeyNotInForce",
  "PartyKeysNotProposed",
  "RecoverySignatureInvalid",
  "RuleNotPublished",
]);

/** Calls every function as everybody, each time on the same ground. */
export async function accessCells(
  connection: NetworkConnection,
  load: () => Promise<Everything>,
  wanted: (row: Row) => boolean = () => true,
): Promise<Cells[]> {
  const { rows } = await load();
  const cells: Cells[] = [];
  for (const row of rows.filter(wanted)) {
    const outcomes: Record<string, Outcome> = {};
    for (const column of COLUMNS) outcomes[column] = await outcomeOf(connection, await load(), row, column);
    if (!CONTRACTS_ONLY.includes(row.method) && !Object.values(outcomes).some((outcome) => outcome !== "–")) {
      throw new Error(`nobody can ${row.contract}.${row.method}: the test does not call it well`);
    }
    cells.push({ row, outcomes });
  }
  return cells;
}

async function outcomeOf(
  { ethers }: NetworkConnection,
  { contracts, actors, afterDelay }: Everything,
  row: Row,
  column: Actor,
): Promise<Outcome> {
  const actor = actors[column];
  const contract = contracts[row.contract];
  if (contract === undefined) throw new Error(`no contract ${row.contract}`);
  await row.before?.();
  const data = contract.interface.encodeFunctionData(row.method, await row.args(actor));
  const to = await contract.getAddress();
  const before = await stateOf(row);
  const refusal = await refusalOf(ethers.provider, contract.interface, { from: actor.address, to, data });
  if (refusal === "AccessManagerNotScheduled") {
    const role = (Object.keys(HOLDERS) as (keyof typeof HOLDERS)[]).find((name) => HOLDERS[name] === column);
    if (role === undefined) throw new Error(`${column} has no role to schedule with`);
    await afterDelay(role, contract, data);
    if ((await stateOf(row)) === before) throw new Error(`${row.contract}.${row.method} did nothing`);
    return "later";
  }
  if (refusal !== undefined) {
    if (!REFUSALS.has(refusal)) throw new Error(`${row.contract}.${row.method} by ${column}: ${refusal}`);
    return "–";
  }
  await (await actor.sendTransaction({ to, data })).wait();
  return (await stateOf(row)) === before ? "own" : "yes";
}

const stateOf = async (row: Row): Promise<string> =>
  JSON.stringify(await row.watch(), (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value));

const CONSUME = GOVERNED_INTERFACES.AccessManager.getFunction("consumeScheduledOp")?.selector ?? "";

/** The name of the error with which a call would revert. */
async function refusalOf(
  provider: { send(method: string, params: unknown[]): Promise<unknown> },
  contract: Interface,
  call: { from: string; to: string; data: string },
): Promise<string | undefined> {
  try {
    await provider.send("eth_call", [call, "latest"]);
    return undefined;
  } catch (error) {
    const data = (error as { data?: unknown }).data;
    if (typeof data !== "string") throw error;
    // AccessManager asks a caller who has no code for its word.
    if (data === "0x" && call.data.startsWith(CONSUME)) return "AccessManagerUnauthorizedConsume";
    const known = contract.parseError(data) ?? GOVERNED_INTERFACES.AccessManager.parseError(data);
    if (known === null) throw error;
    return known.name;
  }
}

const HEAD: Readonly<Record<string, string>> = { stranger: "anybody" };

/** The table as Markdown. */
export function tableOf(cells: readonly Cells[]): string {
  const roleOf = (column: Actor): string =>
    Object.entries(HOLDERS).find(([, actor]) => actor === column)?.[0] ?? HEAD[column] ?? column;
  const line = (words: readonly string[]): string => `| ${words.join(" | ")} |`;
  return [
    line(["function", "for", ...COLUMNS.map(roleOf)]),
    line(Array.from({ length: COLUMNS.length + 2 }, () => "---")),
    ...cells.map(({ row, outcomes }) =>
      line([`\`${row.contract}.${row.method}\``, row.of, ...COLUMNS.map((column) => outcomes[column] ?? "?")]),
    ),
  ].join("\n");
}

const BEGIN = "<!-- access: written by test/contracts/Governance.test.ts -->";
const END = "<!-- access: end -->";

/** The document with its table exchanged. */
export function writtenTable(document: string, table: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("the document has no place for the table of access");
  return `${document.slice(0, begin)}${BEGIN}\n\n${table}\n\n${document.slice(end)}`;
}
