import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { getAddress, isAddress as isAddressLike, keccak256 } from "ethers";
import { isAddress, isBytes32, type Hex } from "../consent/consent.ts";
import {
  ALERT_CONTRACT_NAMES,
  CONTRACT_NAMES,
  type AlertContractName,
  type AnyContractName,
  type ContractName,
} from "./contracts.ts";
import { CodeDiffersError, DeploymentError } from "./errors.ts";
import { askPlain, checkChain, type Rpc } from "./rpc.ts";

export interface DeployedContract {
  readonly address: Hex;
  /** keccak256 of the code at the address, taken by whoever deployed; all that decides in process is checked against it. */
  readonly codeHash: Hex;
  /** A block no later than the one that deployed it: where reading its events begins. */
  readonly block: number;
}

/** Where the contracts are on one chain. */
export interface Deployment {
  readonly chainId: number;
  readonly contracts: Readonly<Of<DeployedContract>>;
}

/** Something for every contract; those of alerts are all there or none is. */
export type Of<T> = Record<ContractName, T> & Partial<Record<AlertContractName, T>>;

const FORMAT = "medseal-deployment";

/** One file a chain: `<folder>/<chain id>.json`. */
export const deploymentFile = (folder: string, chainId: number): string => join(folder, `${chainId}.json`);

export async function writeDeployment(folder: string, deployment: Deployment): Promise<void> {
  const file = deploymentFile(folder, deployment.chainId);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ format: FORMAT, version: 1, ...deployment }, undefined, 2) + "\n");
}

/** @throws DeploymentError when there is no record for this chain, or it is not well-formed. */
export async function readDeployment(folder: string, chainId: number): Promise<Deployment> {
  let text: string;
  try {
    text = await readFile(deploymentFile(folder, chainId), "utf8");
  } catch (cause) {
    throw new DeploymentError(`no deployment on chain ${chainId} is known`, {
      cause,
      hint: "deploy the contracts first",
    });
  }
  const deployment = parseDeployment(text);
  if (deployment.chainId !== chainId) throw new DeploymentError("the deployment record is for another chain");
  return deployment;
}

/** Strict: every key is known and none is missing. Records from before there were alerts have two contracts. */
export function parseDeployment(text: string): Deployment {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DeploymentError("the deployment record is not JSON", { cause });
  }
  const record = fieldsOf(value, ["format", "version", "chainId", "contracts"]);
  if (record.format !== FORMAT || record.version !== 1) throw new DeploymentError("not a deployment record, version 1");
  if (!isCount(record.chainId) || record.chainId === 0)
    throw new DeploymentError("the deployment record has no chain id");
  const names = namesIn(record.contracts);
  const entries = fieldsOf(record.contracts, names);
  const contracts = names.map((name) => {
    const { address, codeHash, block } = fieldsOf(entries[name], ["address", "codeHash", "block"]);
    if (!isAddress(address) || !isBytes32(codeHash) || !isCount(block)) {
      throw new DeploymentError(`the deployment record is wrong about ${name}`);
    }
    return [name, { address, codeHash, block }] as const;
  });
  return { chainId: record.chainId, contracts: Object.fromEntries(contracts) as unknown as Of<DeployedContract> };
}

/** Names of all contracts, with those of alerts when one of them is there. */
function namesIn(contracts: unknown): readonly AnyContractName[] {
  const alerts = ALERT_CONTRACT_NAMES.some((name) => Object.hasOwn(Object(contracts) as object, name));
  return alerts ? [...CONTRACT_NAMES, ...ALERT_CONTRACT_NAMES] : CONTRACT_NAMES;
}

/**
 * Contract addresses from Ignition's `deployed_addresses.json`, whose keys are `Module#Contract`.
 *
 * @throws DeploymentError when one is missing or the text is something else.
 */
export function parseIgnitionAddresses(text: string): Of<Hex> {
  let found: [string, unknown][];
  try {
    found = Object.entries(JSON.parse(text) as Record<string, unknown>);
  } catch (cause) {
    throw new DeploymentError("what Ignition wrote is not a list of addresses", { cause });
  }
  const byName = Object.fromEntries(found.map(([key, address]) => [key.slice(key.indexOf("#") + 1), address]));
  const picked = namesIn(byName).map((name) => {
    const address = byName[name];
    if (!isAddressLike(address)) throw new DeploymentError(`Ignition has not deployed ${name}`);
    return [name, getAddress(address)] as const;
  });
  return Object.fromEntries(picked) as unknown as Of<Hex>;
}

/**
 * Makes the record of a deployment: hashes the code that lies at the addresses now. Only who has just deployed can do
 * this in good faith; everybody else is given the record.
 *
 * @param block - A block no later than the deployment.
 */
export async function pinDeployment(
  rpc: Rpc,
  chainId: number,
  addresses: Readonly<Of<string>>,
  block: number,
): Promise<Deployment> {
  await checkChain(rpc, chainId);
  const contracts: Partial<Record<AnyContractName, DeployedContract>> = {};
  for (const name of namesIn(addresses)) {
    const address = getAddress(addresses[name] ?? "") as Hex;
    const code = await readCode(rpc, address);
    if (code === "0x") throw new DeploymentError(`there is no code at the address of ${name}`);
    contracts[name] = { address, codeHash: keccak256(code) as Hex, block };
  }
  return { chainId, contracts: contracts as Of<DeployedContract> };
}

/** @throws DeploymentError when the deployment has no such contract. */
export function deployedAt({ contracts }: Deployment, name: AnyContractName): DeployedContract {
  const found = contracts[name];
  if (found) return found;
  throw new DeploymentError(`the deployment has no ${name}`, { hint: "deploy again: what stands already stays" });
}

/** @throws CodeDiffersError unless the code at the contract's address is the pinned one; DeploymentError. */
export async function pinnedCode(rpc: Rpc, deployment: Deployment, name: AnyContractName): Promise<Hex> {
  const { address, codeHash } = deployedAt(deployment, name);
  const code = await readCode(rpc, address);
  if (keccak256(code) !== codeHash) throw new CodeDiffersError(name);
  return code;
}

async function readCode(rpc: Rpc, address: Hex): Promise<Hex> {
  const code = await askPlain(rpc, "eth_getCode", [address, "latest"]);
  if (typeof code !== "string" || !/^0x(?:[0-9a-f]{2})*$/.test(code)) {
    throw new DeploymentError("the node's answer to eth_getCode is no code");
  }
  return code as Hex;
}

function fieldsOf<K extends string>(value: unknown, keys: readonly K[]): Record<K, unknown> {
  const found = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) {
    throw new DeploymentError("the deployment record has other fields than it should", {
      hint: `expected ${keys.join(", ")}`,
    });
  }
  return value as Record<K, unknown>;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
