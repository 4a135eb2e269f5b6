import { access } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { setTimeout as pause } from "node:timers/promises";
import { fromHex } from "../../src/bytes/bytes.ts";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import { callNode } from "../../src/chain/rpc.ts";
import { startNode } from "../../src/ipfs/node.ts";
import { StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { freePort, spawnAnvil, type AnvilProcess } from "./anvil.ts";
import { blocksFolder, chainFile, writeWhole, writeWorld, type World } from "./state.ts";

/** A chain and a store that keep their state. */
export interface Keeper {
  readonly world: World;
  /** Fulfilled when the chain client ended without being told to. */
  readonly failed: Promise<void>;
  stop(): Promise<void>;
}

/** How often to look for new blocks, in milliseconds. */
const LOOK = 200;
/** Blocks that lie on a block when it is final. */
const FINAL_AFTER = 2;
/** A block at least this often, in milliseconds: clients distrust a node whose newest block is old. */
const HEARTBEAT = 60_000;

/** @throws ChainUnavailableError, StoreUnavailableError when a part does not start, for a port that is taken for one. */
export async function keepWorld(wanted: Pick<World, "chainId" | "rpcPort" | "ipfsPort">): Promise<Keeper> {
  const port = wanted.ipfsPort === 0 ? await freePort() : wanted.ipfsPort;
  const node = await startNode({ folder: blocksFolder(), port }).catch((cause: unknown) => {
    throw new StoreUnavailableError(`the store does not start on port ${port}`, { cause });
  });
  let anvil: AnvilProcess;
  try {
    const known = await access(chainFile()).then(
      () => ["--load-state", chainFile()],
      () => [],
    );
    anvil = await spawnAnvil(wanted.chainId, wanted.rpcPort, ...known);
  } catch (error) {
    await node.stop();
    throw error;
  }
  const portOf = (url: string): number => Number(new URL(url).port);
  const world = {
    chainId: wanted.chainId,
    rpcPort: portOf(anvil.url),
    ipfsPort: portOf(node.url),
    pid: process.pid,
    anvil: anvil.pid,
  };
  // Anvil forgets the state behind blocks that it loads: the final one is made anew, so that it can be asked about.
  for (let i = 0; i <= FINAL_AFTER; i++) await callNode(anvil.url, "evm_mine");
  await keepChain(anvil.url);
  await writeWorld(world);

  let stopping = false;
  const beat = mineBehind(anvil.url, () => stopping);
  return {
    world,
    failed: beat,
    async stop() {
      stopping = true;
      await beat;
      await keepChain(anvil.url).catch(() => undefined);
      await anvil.stop();
      await node.stop();
      await writeWorld({ ...world, pid: 0, anvil: 0 });
    },
  };
}

/**
 * Makes what is mined final within three seconds, by mining on it; and keeps it in a file before it is. So what a client saw as final is there
 * after a kill. Ends when told to, or when the chain client is gone.
 */
async function mineBehind(url: string, stopped: () => boolean): Promise<void> {
  let [seen, newest] = [await height(url), Date.now()];
  let due = 0;
  while (!stopped()) {
    await pause(LOOK);
    try {
      const number = await height(url);
      if (number !== seen) {
        await keepChain(url);
        due = FINAL_AFTER;
        newest = Date.now();
      }
      // One a second, so that the chain's time does not run ahead of the clock.
      if (Date.now() - newest >= (due > 0 ? 1000 : HEARTBEAT)) {
        await callNode(url, "evm_mine");
        due = Math.max(0, due - 1);
        newest = Date.now();
        if (due === 0) await keepChain(url);
        seen = number + 1;
      } else seen = number;
    } catch (error) {
      if (stopped()) return;
      if (error instanceof ChainUnavailableError || !(await answers(url))) return;
      throw error;
    }
  }
}

const answers = (url: string): Promise<boolean> =>
  height(url).then(
    () => true,
    () => false,
  );

const height = async (url: string): Promise<number> => Number(await callNode(url, "eth_blockNumber"));

/** Writes the chain's state as anvil loads it. */
async function keepChain(url: string): Promise<void> {
  const packed = fromHex(String(await callNode(url, "anvil_dumpState")));
  await writeWhole(chainFile(), await promisify(gunzip)(packed));
}
