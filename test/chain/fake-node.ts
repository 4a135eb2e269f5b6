import { concat, keccak256, toBeHex, toUtf8Bytes } from "ethers";
import { registryInterface } from "../../src/chain/contracts.ts";
import type { Deployment } from "../../src/chain/deployment.ts";
import { endedBeforeAfter, entryAfter } from "../../src/chain/ledger-state.ts";
import type { LedgerEvent } from "../../src/chain/ledger-store.ts";
import type { Rpc } from "../../src/chain/rpc.ts";
import type { Hex } from "../../src/consent/consent.ts";

export const CHAIN_ID = 4242;
export const REGISTRY: Hex = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployed = { address: REGISTRY, codeHash: toBeHex(1, 32) as Hex, block: 0 };
export const DEPLOYMENT: Deployment = {
  chainId: CHAIN_ID,
  contracts: { ConsentRegistry: deployed, RecordAnchor: deployed },
};

/** Seconds from block to block, and the time of block 0. */
const STEP = 12;
export const GENESIS = 1_700_000_000;

/** What a message does to the registry; the node drops those that the contract would refuse. */
export type Act =
  | { readonly kind: "granted"; readonly grantor: Hex; readonly consentId: Hex; readonly issuedAt: number }
  | { readonly kind: "revoked"; readonly grantor: Hex; readonly consentId: Hex }
  | { readonly kind: "allRevoked"; readonly grantor: Hex; readonly issuedAt: number };

interface Block {
  readonly number: number;
  readonly hash: Hex;
  readonly timestamp: number;
  readonly events: LedgerEvent[];
}

/** A node in memory that follows ConsentLedger's rules, reorganises at will and bounds what it answers, as real ones do. */
export class FakeNode implements Rpc {
  readonly blocks: Block[] = [];
  /** How many blocks lie on a final one. */
  finalDepth = 8;
  /** Ranges above this are refused. */
  largestRange = Infinity;
  /** Answers with more events are refused. */
  mostLogs = Infinity;
  /** The node shows no block above this. */
  head = Infinity;
  requests: { readonly method: string; readonly params: unknown[] }[] = [];
  /** Called before each request is answered, such as to reorganise in the middle of a reading. */
  before: (method: string, count: number) => void = () => undefined;
  /** Changes what is answered: the lies. */
  after: (method: string, answer: unknown) => unknown = (_method, answer) => answer;
  #salt = 0;

  constructor() {
    this.mine([]);
  }

  get latest(): Block {
    return this.blocks[Math.min(this.head, this.blocks.length - 1)] as Block;
  }

  get final(): number {
    return Math.max(0, this.latest.number - this.finalDepth);
  }

  /** The time that the next block will have. */
  get nextTime(): number {
    return GENESIS + this.blocks.length * STEP;
  }

  mine(acts: readonly Act[]): void {
    const number = this.blocks.length;
    const parent = this.blocks.at(-1)?.hash ?? "0x";
    const hash = keccak256(concat([parent, toUtf8Bytes(`${number} ${this.#salt++}`)])) as Hex;
    const block: Block = { number, hash, timestamp: this.nextTime, events: [] };
    this.blocks.push(block);
    for (const act of acts) {
      const event = this.#execute(act, block);
      if (event !== undefined) block.events.push(event);
    }
  }

  /** Takes the last `depth` blocks off; what is mined next lies on another branch. */
  reorg(depth: number): void {
    this.blocks.length -= depth;
  }

  events(until = this.latest.number): LedgerEvent[] {
    return this.blocks.slice(0, until + 1).flatMap(({ events }) => events);
  }

  #execute(act: Act, block: Block): LedgerEvent | undefined {
    const past = this.events(block.number).filter(({ grantor }) => grantor === act.grantor);
    const ended = endedBeforeAfter(past.filter(({ kind }) => kind === "allRevoked"));
    const place = { block: block.number, index: block.events.length, grantor: act.grantor, time: block.timestamp };
    if (act.kind === "allRevoked") {
      return act.issuedAt > ended ? { ...place, kind: act.kind, value: act.issuedAt } : undefined;
    }
    const entry = entryAfter(past.filter(({ consentId }) => consentId === act.consentId));
    if (entry.revokedAt !== 0) return undefined;
    const { consentId } = act;
    if (act.kind === "revoked") return { ...place, kind: act.kind, consentId, value: 0 };
    if (act.issuedAt <= ended || act.issuedAt <= entry.issuedAt) return undefined;
    return { ...place, kind: act.kind, consentId, value: act.issuedAt };
  }

  async send(method: string, params: unknown[]): Promise<unknown> {
    this.requests.push({ method, params });
    this.before(method, this.requests.length);
    return this.after(method, this.#answer(method, params));
  }

  #answer(method: string, params: unknown[]): unknown {
    switch (method) {
      case "eth_chainId":
        return `0x${CHAIN_ID.toString(16)}`;
      case "eth_getBlockByNumber": {
        const [tag] = params as [string];
        const number = tag === "latest" ? this.latest.number : tag === "finalized" ? this.final : Number(tag);
        const block = number > this.head ? undefined : this.blocks[number];
        if (block === undefined) return null;
        return {
          number: `0x${block.number.toString(16)}`,
          hash: block.hash,
          stateRoot: toBeHex(0, 32),
          timestamp: `0x${block.timestamp.toString(16)}`,
        };
      }
      case "eth_getLogs": {
        const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
        const [from, to] = [Number(fromBlock), Number(toBlock)];
        if (to - from + 1 > this.largestRange) throw new Error("block range is too wide");
        const found = this.blocks.slice(from, to + 1).filter(({ number }) => number <= this.head);
        const logs = found.flatMap((block) => block.events.map((event) => rawLog(event, block.hash)));
        if (logs.length > this.mostLogs) throw new Error("query returned more results than allowed");
        return logs;
      }
      default:
        throw new Error(`unknown method ${method}`);
    }
  }
}

/** An event as a node sends it. */
export function rawLog(event: LedgerEvent, blockHash: Hex): Record<string, unknown> {
  const { grantor, consentId, value } = event;
  const { topics, data } =
    event.kind === "granted"
      ? registryInterface.encodeEventLog("ConsentGranted", [grantor, consentId, value])
      : event.kind === "revoked"
        ? registryInterface.encodeEventLog("ConsentRevoked", [grantor, consentId])
        : registryInterface.encodeEventLog("AllConsentsRevoked", [grantor, value]);
  return {
    address: REGISTRY.toLowerCase(),
    blockNumber: `0x${event.block.toString(16)}`,
    blockHash,
    logIndex: `0x${event.index.toString(16)}`,
    transactionHash: keccak256(toBeHex(event.block * 1000 + event.index, 32)),
    topics,
    data,
    removed: false,
  };
}
