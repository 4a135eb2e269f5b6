import { join } from "node:path";
import { getBytes, keccak256 } from "ethers";
import { fromHex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { FileBlockstore } from "../../src/ipfs/blocks.ts";
import { leafHash } from "../../src/log/merkle.ts";
import type { World } from "../../scripts/demo/world.ts";

/** What everybody can see, by where it was seen. */
export interface Public {
  readonly calldata: Uint8Array[];
  readonly events: Uint8Array[];
  readonly storage: Uint8Array[];
  readonly reverts: Uint8Array[];
  readonly blocks: Uint8Array[];
}

interface Transaction {
  readonly hash: string;
  readonly from: string;
  readonly to: string | null;
  readonly input: string;
  readonly blockNumber: string;
}

interface Receipt {
  readonly logs: { readonly data: string; readonly topics: string[] }[];
}

interface Trace {
  readonly structLogs: { readonly op: string; readonly stack: string[] }[];
}

/** A transaction with all it put on chain, as bytes. */
export interface Sent {
  readonly transaction: Transaction;
  readonly bytes: Buffer;
}

export async function transactions({ rpc }: World): Promise<Transaction[]> {
  const latest = Number(await rpc.send("eth_blockNumber", []));
  const all: Transaction[] = [];
  for (let n = 0; n <= latest; n++) {
    const block = await rpc.send("eth_getBlockByNumber", [`0x${n.toString(16)}`, true]);
    all.push(...(block as { transactions: Transaction[] }).transactions);
  }
  return all;
}

/** Calldata and events of each transaction. */
export async function sent(world: World): Promise<Sent[]> {
  return Promise.all(
    (await transactions(world)).map(async (transaction) => {
      const { logs } = (await world.rpc.send("eth_getTransactionReceipt", [transaction.hash])) as Receipt;
      const parts = [transaction.input, ...logs.flatMap(({ data, topics }) => [data, ...topics])];
      return { transaction, bytes: Buffer.concat(parts.map((part) => getBytes(part))) };
    }),
  );
}

/** Everything of a chain and a folder of blocks. */
export async function everythingPublic(world: World): Promise<Public> {
  const found: Public = { calldata: [], events: [], storage: [], reverts: [], blocks: [] };
  for (const transaction of await transactions(world)) {
    found.calldata.push(getBytes(transaction.input));
    const { logs } = (await world.rpc.send("eth_getTransactionReceipt", [transaction.hash])) as Receipt;
    for (const { data, topics } of logs) found.events.push(getBytes(data), ...topics.map((topic) => getBytes(topic)));
    found.storage.push(...(await storageOf(world, transaction)));
    if (transaction.to !== null) found.reverts.push(...(await revertOf(world, transaction)));
  }
  for await (const { bytes } of new FileBlockstore(join(world.folder, "ipfs", "blocks")).getAll())
    for await (const part of bytes) found.blocks.push(part);
  return found;
}

/** Every slot that a transaction read or wrote, with what it held then and holds now. */
async function storageOf(world: World, { hash, blockNumber }: Transaction): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  const { structLogs } = (await world.rpc.send("debug_traceTransaction", [hash, {}])) as Trace;
  for (const { op, stack } of structLogs) {
    if (op !== "SSTORE" && op !== "SLOAD") continue;
    const slot = `0x${(stack.at(-1) ?? "").replace(/^0x/, "").padStart(64, "0")}`;
    found.push(getBytes(slot));
    for (const { address } of Object.values(world.deployment.contracts)) {
      for (const block of [blockNumber, "latest"])
        found.push(getBytes((await world.rpc.send("eth_getStorageAt", [address, slot, block])) as string));
    }
  }
  return found;
}

/** What the contract answers when the same is sent again, as it is and with one digit changed. */
async function revertOf({ rpc }: World, { from, to, input }: Transaction): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  // Inside a signature, or a checkpoint's size.
  const changed = `${input.slice(0, -70)}${input.at(-70) === "0" ? "1" : "0"}${input.slice(-69)}`;
  for (const data of [input, changed]) {
    const error: unknown = await rpc.send("eth_call", [{ from, to, data }, "latest"]).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const text =
      JSON.stringify(error, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)) ?? "";
    const message = error instanceof Error ? error.message : "";
    for (const hex of `${text} ${message}`.match(/0x(?:[0-9a-f]{2})+/gi) ?? []) found.push(getBytes(hex));
  }
  return found;
}

/** What somebody without a key makes of a text or an encoding: its hashes, plain and as a leaf of a Merkle tree. */
export const hashesOf = (bytes: Uint8Array): Uint8Array[] => [
  sha256(bytes),
  fromHex(keccak256(bytes)),
  leafHash(bytes),
];

/** Finds 32 bytes at any place of public data. */
export class Places {
  readonly #all: Buffer;
  readonly #starts = new Set<number>();

  constructor(all: readonly Uint8Array[]) {
    this.#all = Buffer.concat(all);
    for (const bytes of all) for (let at = 0; at + 32 <= bytes.length; at++) this.#starts.add(startOf(bytes, at));
  }

  get size(): number {
    return this.#starts.size;
  }

  /** By the first six bytes, and only where these agree by all of them. */
  has(hash: Uint8Array): boolean {
    return this.#starts.has(startOf(hash, 0)) && this.#all.includes(Buffer.from(hash));
  }
}

const startOf = (bytes: Uint8Array, at: number): number => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes.subarray(at, at + 6);
  return ((a * 256 + b) * 256 + c) * 2 ** 24 + (d * 256 + e) * 256 + f;
};
