import { UsageError } from "../errors.ts";
import { KuboStore } from "./client.ts";
import type { BlockStore } from "./store.ts";

export interface StoreChoice {
  /** Address of a Kubo RPC, as in MEDSEAL_IPFS; wins over `folder`. */
  readonly url?: string | undefined;
  /** Folder of an embedded node, opened for this store alone and closed by its `close`. */
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
  // Helia takes most of a second to load, and who uses a Kubo does without it.
  const { EmbeddedStore } = await import("./embedded.ts");
  return await EmbeddedStore.open(folder);
}
