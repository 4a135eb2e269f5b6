import { toQuantity } from "ethers";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { anchorInterface, registryInterface } from "../../../src/chain/contracts.ts";
import type { Hex } from "../../../src/consent/consent.ts";

export interface SentLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

/** What became of one transaction; `refusal` is the name of the error, or the bare revert data where it has none. */
export interface Sent {
  readonly refusal?: string;
  readonly logs: readonly SentLog[];
  readonly gas: number;
}

/** When campaigns begin, whatever the clock says: the same seed is to be the same campaign. */
export const BEGIN = 2_000_000_000;

const GAS = toQuantity(16_000_000);

/** Both contracts on a chain of their own, one transaction a block, each at a time that the caller names. */
export class CampaignChain {
  readonly connection: NetworkConnection;
  readonly chainId: number;
  readonly registry: Hex;
  readonly anchor: Hex;
  now = BEGIN;

  private constructor(connection: NetworkConnection, chainId: number, registry: Hex, anchor: Hex) {
    this.connection = connection;
    this.chainId = chainId;
    this.registry = registry;
    this.anchor = anchor;
  }

  static async open(): Promise<CampaignChain> {
    const connection = await network.create({ override: { allowBlocksWithSameTimestamp: true } });
    const { ethers } = connection;
    const registry = (await (await ethers.deployContract("ConsentRegistry")).getAddress()) as Hex;
    const anchor = (await (await ethers.deployContract("RecordAnchor")).getAddress()) as Hex;
    const { chainId } = await ethers.provider.getNetwork();
    return new CampaignChain(connection, Number(chainId), registry, anchor);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async request<T>(method: string, ...params: unknown[]): Promise<T> {
    return (await this.connection.provider.request({ method, params })) as T;
  }

  /** Fixes the time of the next block, in which a call asked for before sees the same state as the transaction after it. */
  async at(time: number): Promise<void> {
    this.now = time;
    await this.request("evm_setNextBlockTimestamp", toQuantity(time));
  }

  async send(from: string, to: string, data: string, value = 0n): Promise<Sent> {
    let refusal: string | undefined;
    try {
      await this.request("eth_sendTransaction", { from, to, data, value: toQuantity(value), gas: GAS });
    } catch (error) {
      refusal = nameOf(revertData(error));
    }
    const { transactions } = await this.request<{ transactions: string[] }>("eth_getBlockByNumber", "latest", false);
    const receipt = await this.request<{ logs: SentLog[]; gasUsed: string }>(
      "eth_getTransactionReceipt",
      transactions[0],
    );
    return { logs: receipt.logs, gas: Number(receipt.gasUsed), ...(refusal === undefined ? {} : { refusal }) };
  }

  /** What a view says now. */
  async view(to: string, data: string): Promise<string> {
    return this.request("eth_call", { to, data }, "latest");
  }

  /** What a call would answer in the next block. */
  async dryRun(from: string, to: string, data: string): Promise<string> {
    return this.request("eth_call", { from, to, data, gas: GAS }, "pending");
  }

  async slot(at: string, slot: string): Promise<string> {
    return this.request("eth_getStorageAt", at, slot, "latest");
  }

  /** Root of everything that a contract stores. */
  async storageHash(at: string): Promise<string> {
    return (await this.request<{ storageHash: string }>("eth_getProof", at, [], "latest")).storageHash;
  }
}

function revertData(error: unknown): string {
  const data = (error as { data?: unknown }).data;
  if (typeof data === "string") return data;
  const inner = (data as { data?: unknown } | undefined)?.data;
  if (typeof inner === "string") return inner;
  throw error;
}

/** Name of the error behind a selector or revert data of either contract. */
export const nameOf = (data: string): string =>
  registryInterface.getError(data.slice(0, 10))?.name ?? anchorInterface.getError(data.slice(0, 10))?.name ?? data;
