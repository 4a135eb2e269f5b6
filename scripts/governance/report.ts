import { getAddress, type Provider } from "ethers";
import {
  authorityOf,
  functionsOf,
  GOVERNED_INTERFACES,
  GOVERNED_NAMES,
  governanceAt,
  TARGET_NAMES,
  type GovernedName,
} from "../../src/chain/governed.ts";
import { readLogs } from "../../src/chain/logs.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { ROLES } from "./roles.ts";

/** Where the governed contracts are. */
export type GovernedAddresses = Readonly<Record<GovernedName, Hex>>;

export interface Holder {
  readonly account: string;
  /** Unix time from which the role counts. */
  readonly since: number;
  /** Seconds between announcing and doing. */
  readonly executionDelay: number;
}

export interface RoleReport {
  readonly id: bigint;
  readonly name: string;
  readonly admin: bigint;
  readonly guardian: bigint;
  readonly grantDelay: number;
  readonly holders: readonly Holder[];
  /** Functions that the role may call now, as `Contract.function`. */
  readonly may: readonly string[];
}

export interface GovernanceReport {
  readonly addresses: GovernedAddresses;
  readonly roles: readonly RoleReport[];
  /** Whatever is not as the table of roles has it. */
  readonly differences: readonly string[];
}

/**
 * Who holds which role, and what it may do, as the chain has it now.
 *
 * AccessManager cannot list holders: its events say whom to ask for, its state decides. A node that leaves out events can hide a
 * holder, so ask one that you trust.
 */
export async function reportGovernance(
  provider: Provider & Rpc,
  addresses: GovernedAddresses,
): Promise<GovernanceReport> {
  const governance = governanceAt(addresses.AccessManager, provider);
  const appointed = await appointments(provider, addresses.AccessManager);
  for (const { id } of ROLES) if (!appointed.has(id)) appointed.set(id, new Set());
  const granted = await grantedFunctions(provider, addresses);

  const roles: RoleReport[] = [];
  for (const [id, accounts] of [...appointed].sort(([a], [b]) => Number(a - b))) {
    const holders: Holder[] = [];
    for (const account of accounts) {
      const [since, delay] = await governance.getAccess(id, account);
      if (since !== 0n) holders.push({ account, since: Number(since), executionDelay: Number(delay) });
    }
    roles.push({
      id,
      name: ROLES.find((role) => role.id === id)?.name ?? `role ${id}`,
      admin: await governance.getRoleAdmin(id),
      guardian: await governance.getRoleGuardian(id),
      grantDelay: Number(await governance.getRoleGrantDelay(id)),
      holders,
      may: granted.filter((entry) => entry.role === id).map(({ name }) => name),
    });
  }
  return { addresses, roles, differences: [...differencesOf(roles), ...(await strayTargets(provider, addresses))] };
}

/** Everybody who was ever appointed, by role. */
async function appointments(rpc: Rpc & Provider, manager: Hex): Promise<Map<bigint, Set<string>>> {
  const { interface: events } = governanceAt(manager, rpc);
  const appointed = new Map<bigint, Set<string>>();
  const topic = events.getEvent("RoleGranted").topicHash as Hex;
  for await (const { logs } of readLogs(rpc, manager, 0, await rpc.getBlockNumber(), [topic])) {
    for (const { topics, data } of logs) {
      const [role, account] = events.decodeEventLog("RoleGranted", data, topics) as unknown as [bigint, string];
      appointed.set(role, (appointed.get(role) ?? new Set()).add(getAddress(account)));
    }
  }
  return appointed;
}

/** The role of every function that asks for one; a function that asks for none has ADMIN's number, which means nothing. */
async function grantedFunctions(provider: Provider, addresses: GovernedAddresses) {
  const governance = governanceAt(addresses.AccessManager, provider);
  const found: { name: string; role: bigint }[] = [];
  for (const target of GOVERNED_NAMES) {
    for (const { name, selector } of functionsOf(GOVERNED_INTERFACES[target]).filter(({ constant }) => !constant)) {
      const role = await governance.getTargetFunctionRole(addresses[target], selector);
      if (role !== 0n) found.push({ name: `${target}.${name}`, role });
    }
  }
  return found;
}

function differencesOf(roles: readonly RoleReport[]): string[] {
  const nameOf = (id: bigint): string => ROLES.find((role) => role.id === id)?.name ?? `role ${id}`;
  return roles.flatMap(({ id, name, admin, guardian, grantDelay, holders, may }) => {
    const wanted = ROLES.find((role) => role.id === id);
    if (wanted === undefined) return holders.length > 0 ? [`${name} is held and not in the table`] : [];
    const says: string[] = [];
    const expect = (what: string, found: string | number, should: string | number): void => {
      if (found !== should) says.push(`${name}: ${what} is ${found}, not ${should}`);
    };
    expect("who appoints", nameOf(admin), wanted.admin);
    expect("who cancels", nameOf(guardian), wanted.guardian);
    expect("the delay of appointments", grantDelay, wanted.grantDelay);
    const should = Object.entries(wanted.may).flatMap(([target, names]) =>
      names.map((method) => `${target}.${method}`),
    );
    expect("what it may", [...may].sort().join(" "), should.sort().join(" "));
    if (wanted.name === "CONFIGURATION" && holders.length > 0) says.push(`${name} is held`);
    for (const { account, executionDelay } of holders) {
      expect(`the delay of ${account}`, executionDelay, wanted.executionDelay);
    }
    return says;
  });
}

/** Contracts that ask another authority, or that are closed. */
async function strayTargets(provider: Provider, addresses: GovernedAddresses): Promise<string[]> {
  const governance = governanceAt(addresses.AccessManager, provider);
  const says: string[] = [];
  for (const name of TARGET_NAMES) {
    const authority = await authorityOf(addresses[name], provider);
    if (getAddress(authority) !== getAddress(addresses.AccessManager)) says.push(`${name} asks ${authority}`);
    if (await governance.isTargetClosed(addresses[name])) says.push(`${name} is closed`);
  }
  return says;
}

/** The report as text for people. */
export function governanceText({ addresses, roles, differences }: GovernanceReport): string {
  const duration = (seconds: number): string => (seconds === 0 ? "at once" : `after ${seconds / 86_400} days`);
  const lines = roles.flatMap(({ id, name, holders, may }) => {
    const purpose = ROLES.find((role) => role.id === id)?.purpose;
    return [
      `${name} (${id})${purpose === undefined ? "" : `: ${purpose}`}`,
      ...holders.map(
        ({ account, since, executionDelay }) =>
          `  ${account}  ${duration(executionDelay)}, since ${new Date(since * 1000).toISOString()}`,
      ),
      ...(holders.length === 0 ? ["  nobody"] : []),
      ...(may.length === 0 ? [] : [`  may ${may.join(", ")}`]),
    ];
  });
  return [
    ...Object.entries(addresses).map(([name, address]) => `${name.padEnd(16)} ${address}`),
    "",
    ...lines,
    "",
    ...(differences.length === 0
      ? ["all as the table of roles has it"]
      : differences.map((text) => `differs: ${text}`)),
  ].join("\n");
}
