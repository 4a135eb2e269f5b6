import { isBytes32, type Hex } from "../consent/consent.ts";
import { ChainUnavailableError, NodeLiesError } from "./errors.ts";
import { ask, quantity, toQuantity, type Rpc } from "./rpc.ts";

/** One event as the node sent it, its place checked. */
export interface Log {
  readonly block: number;
  readonly blockHash: Hex;
  readonly index: number;
  readonly transaction: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

export interface LogRange {
  readonly from: number;
  readonly to: number;
  readonly logs: readonly Log[];
}

/** Nodes bound the range or the answer of `eth_getLogs`, each in its own way: start here, halve when refused. */
const FIRST_SPAN = 10_000;
const LARGEST_SPAN = 1_000_000;
const FEW_LOGS = 1_000;

/**
 * All events of one contract in `[from, to]`, range by range and in order.
 *
 * @param topics - A filter; leave it out wherever the filter would tell the node what is sought.
 */
export async function* readLogs(
  rpc: Rpc,
  address: Hex,
  from: number,
  to: number,
  topics?: readonly (Hex | null)[],
): AsyncGenerator<LogRange> {
  let span = FIRST_SPAN;
  for (let start = from; start <= to;) {
    const end = Math.min(to, start + span - 1);
    let answer: unknown;
    try {
      const filter = { address, fromBlock: toQuantity(start), toBlock: toQuantity(end), ...(topics && { topics }) };
      answer = await ask(rpc, "eth_getLogs", [filter]);
    } catch (error) {
      if (error instanceof ChainUnavailableError) throw error;
      if (start === end) throw new ChainUnavailableError("the node does not answer eth_getLogs", error);
      span = Math.ceil((end - start + 1) / 2);
      continue;
    }
    const logs = checkLogs(answer, address, start, end);
    yield { from: start, to: end, logs };
    start = end + 1;
    if (logs.length < FEW_LOGS) span = Math.min(2 * span, LARGEST_SPAN);
  }
}

function checkLogs(answer: unknown, address: Hex, from: number, to: number): Log[] {
  if (!Array.isArray(answer)) throw new NodeLiesError("its list of events is no list");
  const logs = answer.map((entry: unknown): Log => {
    const raw = (entry ?? {}) as Record<string, unknown>;
    const { blockHash, transactionHash, topics, data } = raw;
    const block = quantity(raw.blockNumber, "block number of an event");
    const index = quantity(raw.logIndex, "index of an event");
    if (typeof raw.address !== "string" || raw.address.toLowerCase() !== address.toLowerCase()) {
      throw new NodeLiesError("an event is of another contract");
    }
    if (block < from || block > to || raw.removed === true) throw new NodeLiesError("an event lies outside the range");
    if (!isBytes32(blockHash) || !isBytes32(transactionHash)) throw new NodeLiesError("an event lies in no block");
    if (!Array.isArray(topics) || !topics.every(isBytes32)) throw new NodeLiesError("an event has no topics");
    if (typeof data !== "string" || !/^0x(?:[0-9a-f]{2})*$/.test(data)) throw new NodeLiesError("an event has no data");
    return { block, blockHash, index, transaction: transactionHash, topics, data: data as Hex };
  });
  logs.sort((a, b) => a.block - b.block || a.index - b.index);
  logs.forEach((log, i) => {
    const before = logs[i - 1];
    if (before?.block !== log.block) return;
    if (before.index === log.index) throw new NodeLiesError("an event comes twice");
    if (before.blockHash !== log.blockHash) throw new NodeLiesError("one block has two hashes");
  });
  return logs;
}
