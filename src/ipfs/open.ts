import { UsageError } from "../errors.ts";
import { KuboStore } from "./client.ts";
import { StoreUnavailableError } from "./errors.ts";
import type { RunningNode } from "./node.ts";
import type { BlockStore } from "./store.ts";

export interface StoreChoice {
  /** Address of a Kubo RPC, as in MEDSEAL_IPFS; wins over `folder`. */
  readonly url?: string | undefined;
  /** Folder of an embedded node, started for this store and stopped by its `close`. */
  readonly folder?: string | undefined;
}

/**
 * Opens the store that the caller's settings name, and sees that it answers.
 *
 * @throws UsageError when they name none; StoreUnavailableError when it does not answer.
 */
export async function openStore({ url, folder }: StoreChoice): Promise<BlockStore> {
  if (url !== undefined && url !== "") {
    const store = new KuboStore(url);
    await store.check();
    return store;
  }
  if (folder === undefined) throw new UsageError("neither an IPFS address nor a folder is named");
  return await openEmbedded(folder);
}

async function openEmbedded(folder: string): Promise<BlockStore> {
  // Helia takes most of a second to load, and who uses a Kubo does without it.
  const { startNode } = await import("./node.ts");
  const node = await startNode({ folder }).catch((error: unknown) => {
    throw new StoreUnavailableError("the embedded node does not start in its folder", { cause: error });
  });
  return new EmbeddedStore(node);
}

class EmbeddedStore extends KuboStore {
  readonly #node: RunningNode;

  constructor(node: RunningNode) {
    super(node.url);
    this.#node = node;
  }

  override close(): Promise<void> {
    return this.#node.stop();
  }
}
