import type { Deployment } from "./deployment.ts";
import { ChainUnavailableError, FinalityBrokenError, NodeLiesError } from "./errors.ts";
import { checkFollows, readEvent } from "./events.ts";
import type { LedgerEvent, LedgerStore, SyncedBlock } from "./ledger-store.ts";
import { readLogs, type LogRange } from "./logs.ts";
import { checkChain, needBlock, readBlock, type BlockHeader, type Rpc } from "./rpc.ts";

export interface SyncOptions {
  /** On chains whose nodes know no `finalized`: how many blocks make a block final. Without it nothing is ever final there. */
  readonly finalDepth?: number;
  /** Each sync ends with a proof that the events lead to the state of the newest block (EIP-1186), and fails without one. */
  readonly attested?: boolean;
}

export interface SyncReport {
  readonly latest: number;
  readonly final: number;
  /** Events taken in by this run. */
  readonly events: number;
  /** The block rolled back to, when a reorganisation was found. */
  readonly rolledBackTo: number | undefined;
}

/** Blocks move while they are read; so often the reading is begun again before it counts as an outage. */
const ATTEMPTS = 8;

/** Headers asked for at a time. */
const AT_ONCE = 100;

/** The chain has moved on under the reading. */
class ChainMoved extends Error {}

export async function syncLedger(
  rpc: Rpc,
  deployment: Deployment,
  store: LedgerStore,
  options: SyncOptions,
): Promise<SyncReport> {
  const before = store.eventCount;
  let rolledBackTo: number | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [latest, told] = await newest(rpc, deployment.chainId);
    const final = await finalBlock(rpc, latest, told, options);
    rolledBackTo = (await rollBack(rpc, store, latest)) ?? rolledBackTo;
    try {
      if (final !== undefined) await advance(rpc, deployment, store, final, true);
      await advance(rpc, deployment, store, latest, false);
      const events = Math.max(0, store.eventCount - before);
      return { latest: latest.number, final: store.finalBlock, events, rolledBackTo };
    } catch (error) {
      if (!(error instanceof ChainMoved)) throw error;
    }
  }
  throw new ChainUnavailableError("the chain changes faster than it can be read, or the node contradicts itself");
}

type Newest = readonly [latest: BlockHeader, final: BlockHeader | undefined];

/** Asks at once, as a gateway does so before each batch; and one by one where that fails: some nodes take no batches, and the error is then the first. */
async function newest(rpc: Rpc, chainId: number): Promise<Newest> {
  try {
    const [, latest, final] = await Promise.all([
      checkChain(rpc, chainId),
      needBlock(rpc, "latest"),
      readBlock(rpc, "finalized"),
    ]);
    return [latest, final];
  } catch {
    await checkChain(rpc, chainId);
    return [await needBlock(rpc, "latest"), await readBlock(rpc, "finalized")];
  }
}

/** @param told - What the node says is final, where it knows that. */
async function finalBlock(
  rpc: Rpc,
  latest: BlockHeader,
  told: BlockHeader | undefined,
  options: SyncOptions,
): Promise<BlockHeader | undefined> {
  if (told !== undefined) {
    if (told.number > latest.number) throw new ChainUnavailableError("the node is behind its own final block");
    return told;
  }
  if (options.finalDepth === undefined || options.finalDepth > latest.number) return undefined;
  return readBlock(rpc, latest.number - options.finalDepth);
}

/**
 * Finds the last stored block that is still part of the chain and forgets what came after it.
 *
 * A node whose head lies before ours and on our chain is only late: nothing is forgotten, so that no end is lost.
 */
async function rollBack(rpc: Rpc, store: LedgerStore, latest: BlockHeader): Promise<number | undefined> {
  const stored = [...store.blocks()];
  for (const [i, block] of stored.entries()) {
    if (block.number > latest.number) continue;
    const now = block.number === latest.number ? latest : await readBlock(rpc, block.number);
    if (now?.hash !== block.hash) {
      if (block.number <= store.finalBlock) throw new FinalityBrokenError();
      continue;
    }
    const dropped = stored.slice(0, i).some(({ number }) => number <= latest.number);
    if (!dropped) return undefined;
    store.transaction(() => store.rollBack(block.number));
    return block.number;
  }
  if (stored.some(({ number }) => number <= store.finalBlock)) {
    throw new ChainUnavailableError("the node is behind the last final block that this ledger has seen");
  }
  if (stored.every(({ number }) => number > latest.number)) return undefined;
  store.transaction(() => store.rollBack(-1));
  return -1;
}

/** Reads on to `target`, which is a block of the chain as it stood a moment ago. */
async function advance(
  rpc: Rpc,
  deployment: Deployment,
  store: LedgerStore,
  target: BlockHeader,
  final: boolean,
): Promise<void> {
  const { address, block: first } = deployment.contracts.ConsentRegistry;
  let [top] = store.blocks();
  const start = top === undefined ? first : top.number + 1;
  for await (const range of readLogs(rpc, address, start, target.number)) {
    const end = range.to === target.number ? target : await needBlock(rpc, range.to);
    const times = await readTimes(rpc, range, end);
    // Asked for before the first event was and still there: so the chain below it has not changed while it was read.
    if ((await readBlock(rpc, target.number))?.hash !== target.hash) throw new ChainMoved();
    const read = { number: end.number, hash: end.hash, time: end.timestamp };
    take(store, range, times, top, read, final);
    top = read;
  }
  if (final && target.number >= first) settle(store, target);
}

/** Makes a block final that was read before it was; its hash is from now on the one that must never change. */
function settle(store: LedgerStore, { number, hash, timestamp }: BlockHeader): void {
  store.transaction(() => {
    if (number <= store.finalBlock) return;
    const stored = [...store.blocks()];
    const known = stored.find((block) => block.number === number);
    if ((stored[0]?.number ?? -1) < number || (known !== undefined && known.hash !== hash)) throw new ChainMoved();
    store.addBlock({ number, hash, time: timestamp });
    store.setFinal(number);
  });
}

/** Times of the blocks that hold events, by number; each block is checked to be the one the events say. */
async function readTimes(rpc: Rpc, range: LogRange, end: BlockHeader): Promise<Map<number, SyncedBlock>> {
  const hashes = new Map(range.logs.map(({ block, blockHash }) => [block, blockHash]));
  const numbers = [...hashes.keys()];
  const times = new Map<number, SyncedBlock>();
  for (let i = 0; i < numbers.length; i += AT_ONCE) {
    const some = numbers.slice(i, i + AT_ONCE);
    const headers = await Promise.all(
      some.map(async (number) => (number === end.number ? end : needBlock(rpc, number))),
    );
    for (const { number, hash, timestamp } of headers) {
      if (hashes.get(number) !== hash) throw new ChainMoved();
      times.set(number, { number, hash, time: timestamp });
    }
  }
  return times;
}

/** Takes one range, which follows the block `top`, into the store: all of it or nothing. */
function take(
  store: LedgerStore,
  range: LogRange,
  blocks: ReadonlyMap<number, SyncedBlock>,
  top: SyncedBlock | undefined,
  end: SyncedBlock,
  final: boolean,
): void {
  store.transaction(() => {
    // Another process may have written to the same file in the meantime.
    const [stored] = store.blocks();
    if (stored?.hash !== top?.hash) throw new ChainMoved();
    for (const log of range.logs) {
      const block = blocks.get(log.block);
      if (block === undefined || block.time > end.time)
        throw new NodeLiesError("time runs backwards from block to block");
      const event: LedgerEvent = readEvent(log, block.time);
      const ofConsent = event.consentId === undefined ? [] : store.events(event.grantor, event.consentId);
      checkFollows(event, ofConsent, store.events(event.grantor, undefined));
      store.addEvent(event);
      if (!final) store.addBlock(block);
    }
    store.addBlock(end);
    if (final) store.setFinal(end.number);
  });
}
