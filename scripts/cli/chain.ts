import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { JsonRpcProvider } from "ethers";
import { fromHex } from "../../src/bytes/bytes.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import { readDeployment, type Deployment } from "../../src/chain/deployment.ts";
import { ChainUnavailableError, NotFinalYetError } from "../../src/chain/errors.ts";
import { NotAnchoredYetError } from "../../src/proof/proof.ts";
import type { SyncOptions } from "../../src/chain/ledger-sync.ts";
import type { ConsentLedger } from "../../src/chain/ledger.ts";
import type { AskPermission } from "../../src/chain/permission.ts";
import { callNode, openRpc, readBlock } from "../../src/chain/rpc.ts";
import type { Archive } from "../../src/archive/archive.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { RegistryAddress } from "../../src/consent/typed-data.ts";
import type { ConsentWatch } from "../../src/consent/watch.ts";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";
import type { BlockFiles } from "../../src/ipfs/block-files.ts";
import type { BlockStore } from "../../src/ipfs/store.ts";
import type { CheckpointPlace } from "../../src/log/checkpoint.ts";
import { readSettings } from "../../src/settings.ts";
import type { Call } from "./command.ts";
import { homeFolder } from "./home.ts";
import { userPath, type Io } from "./io.ts";

// What only works with a chain or a store is loaded when they are used: verbs without them answer at once.

/** The chain that MEDSEAL_RPC names, and the contracts on it. */
export interface Chain {
  readonly rpc: JsonRpcProvider;
  readonly deployment: Deployment;
  readonly registry: RegistryAddress;
  placeOf(gateway: Hex): CheckpointPlace;
  readonly historyOf: (gateway: Hex) => Promise<AnchoredCheckpoint[]>;
}

/** How often to ask which block is final, in milliseconds. */
const LOOK = 200;

/** What an identity keeps of the consents on it. */
export interface View {
  readonly ledger: ConsentLedger;
  readonly watch: ConsentWatch;
  readonly ask: AskPermission;
}

/** Asks the node for nothing but its number. @throws ChainUnavailableError, UsageError. */
export async function chainId(rpc: string): Promise<number> {
  try {
    const id = Number(await callNode(rpc, "eth_chainId", [], 10_000));
    if (Number.isSafeInteger(id) && id > 0) return id;
  } catch (cause) {
    throw new ChainUnavailableError(undefined, cause);
  }
  throw new ChainUnavailableError("what MEDSEAL_RPC names does not answer as a chain does");
}

export function rpcUrl(): string {
  const { rpc } = readSettings();
  if (rpc === undefined)
    throw new UsageError("no chain is named", { hint: "set MEDSEAL_RPC, or start one to try with medseal up" });
  return rpc;
}

export async function withChain<T>(work: (chain: Chain) => Promise<T>): Promise<T> {
  const url = rpcUrl();
  const id = await chainId(url);
  const deployment = await readDeployment(readSettings().deployments, id);
  const rpc = openRpc(url, id);
  const { ConsentRegistry, RecordAnchor } = deployment.contracts;
  const { anchoredCheckpoints } = await import("../../src/chain/anchor.ts");
  try {
    return await work({
      rpc,
      deployment,
      registry: { chainId: id, registry: ConsentRegistry.address },
      placeOf: (gateway) => ({ chainId: BigInt(id), anchor: fromHex(RecordAnchor.address), gateway: fromHex(gateway) }),
      historyOf: (gateway) => anchoredCheckpoints(rpc, deployment, gateway),
    });
  } finally {
    rpc.destroy();
  }
}

/** Waits until a block is final. @throws ChainUnavailableError when the node stops answering. */
export async function untilFinal(rpc: JsonRpcProvider, block: number, io: Io): Promise<void> {
  for (;;) {
    const final = await readBlock(rpc, "finalized");
    if (final === undefined) throw new ChainUnavailableError("the node does not tell which block is final");
    if (final.number >= block) break;
    io.progress(`waiting until block ${block} is final; ${final.number} is`);
    await setTimeout(LOOK);
  }
  io.progressDone();
}

/**
 * Does the work; with --wait, where it throws that a block is not final yet, once more when that is, by what the chain says then.
 *
 * @param work - Told whether it is to throw rather than go on without what is not final.
 */
export async function onceFinal<T>(call: Call, work: (whole: boolean) => Promise<T>): Promise<T> {
  const wait = call.flag("wait");
  try {
    return await work(wait);
  } catch (error) {
    // A block that was named stays before the checkpoint, however long one waits.
    const inVain = error instanceof NotAnchoredYetError && call.text("block") !== undefined;
    if (!wait || inVain || !(error instanceof NotFinalYetError)) throw error;
    await withChain(({ rpc }) => untilFinal(rpc, error.block, call.io));
    // What came in the meantime would have to be waited for in its turn, and so on.
    return work(false);
  }
}

/** The ledger of an identity, synced. */
export async function withView<T>(
  { rpc, deployment }: Chain,
  folder: string,
  work: (view: View) => Promise<T>,
  sync: SyncOptions = {},
): Promise<T> {
  const { ConsentLedger } = await import("../../src/chain/ledger.ts");
  const { watchLedger } = await import("../../src/chain/watch.ts");
  const { PermissionJudge } = await import("../../src/chain/permission.ts");
  const ledger = new ConsentLedger(rpc, deployment, join(folder, `ledger-${deployment.chainId}.sqlite`), sync);
  try {
    const watch = watchLedger(ledger);
    await watch.refresh();
    const judge = await PermissionJudge.create(rpc, deployment, ledger);
    return await work({ ledger, watch, ask: ({ time, ...question }) => judge.isPermitted(question, time) });
  } finally {
    ledger.close();
  }
}

/** The store that MEDSEAL_IPFS names; without it an embedded node in the home. */
export async function withStore<T>(work: (blocks: BlockStore) => Promise<T>): Promise<T> {
  const { openStore } = await import("../../src/ipfs/open.ts");
  const blocks = await openStore({ url: readSettings().ipfs, folder: join(homeFolder(), ".ipfs") });
  try {
    return await work(blocks);
  } finally {
    await blocks.close();
  }
}

/** Where blocks are read from. */
export interface Blocks extends Pick<BlockStore, "get"> {
  /** Set where they lie in a folder, and no node is asked. */
  readonly files?: BlockFiles;
}

/** Blocks to read: those that `withStore` would give; of a folder, without a node. @param folder - In place of what settings say. */
export async function withBlocks<T>(folder: string | undefined, work: (blocks: Blocks) => Promise<T>): Promise<T> {
  if (folder === undefined && readSettings().ipfs !== undefined) return withStore(work);
  const { BlockFiles } = await import("../../src/ipfs/block-files.ts");
  const files = new BlockFiles(folder === undefined ? await ownBlocks() : userPath(folder));
  files.check();
  return work({ files, get: async (digest) => Promise.resolve(files.read(digest)) });
}

/** The blocks of the embedded node in the home, which is made when there is none. */
async function ownBlocks(): Promise<string> {
  const folder = join(homeFolder(), ".ipfs", "blocks");
  const { FileBlockstore } = await import("../../src/ipfs/blocks.ts");
  await mkdir(folder, { recursive: true });
  await new FileBlockstore(folder).open();
  return folder;
}

/** What lies in place of a checkpoint, or of a page of one, is not what was anchored. */
class CheckpointDamagedError extends MedSealError {
  readonly code = "ERR_CHECKPOINT_DAMAGED";

  constructor(index: number, gateway: Hex, cause: MedSealError) {
    super(`checkpoint ${index} of the gateway cannot be relied on: ${cause.message}`, {
      cause,
      hint: `medseal verify --gateway ${gateway} names all that is wrong with the archive; what this checkpoint holds nobody finds without it`,
    });
  }
}

/** All checkpoints of a gateway. @throws CheckpointDamagedError; outages. */
export async function archiveOf(chain: Chain, blocks: Blocks, gateway: Hex): Promise<Archive> {
  const { Archive } = await import("../../src/archive/archive.ts");
  const archive = new Archive(chain.placeOf(gateway), (digest) => blocks.get(digest));
  const history = await chain.historyOf(gateway);
  try {
    await archive.update(history);
  } catch (error) {
    if (!(error instanceof MedSealError) || error.exit !== EXIT.refused) throw error;
    throw new CheckpointDamagedError(archive.size, gateway, error);
  }
  return archive;
}
