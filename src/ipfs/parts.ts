import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import { createHeliaLight, type Helia } from "helia";
import type { CID } from "multiformats/cid";
import { DurableFiles } from "../files/durable.ts";
import { FileBlockstore } from "./blocks.ts";
import { DurableDatastore } from "./datastore.ts";
import { StoreLock } from "./lock.ts";
import { PinKeeper } from "./pins.ts";

/** A node in a folder: what its RPC and `EmbeddedStore` work on. */
export interface NodeParts {
  readonly helia: Helia;
  readonly blocks: FileBlockstore;
  readonly pins: PinKeeper;
  readonly lock: StoreLock;
  readonly folder: string;
}

/** Opens a node over files, Helia without network. @param folder - Where blocks and pins are kept; made when absent. */
export async function openParts(folder: string): Promise<NodeParts> {
  const root = resolve(folder);
  await mkdir(root, { recursive: true });
  const blocks = new FileBlockstore(join(root, "blocks"));
  const datastore = new DurableDatastore(join(root, "pins"));
  await blocks.open();
  await datastore.open();
  const helia = createHeliaLight({ blockstore: blocks, datastore, codecs: [dagCbor] });
  await helia.start();
  const pins = new PinKeeper(helia, join(root, "under-way"), new DurableFiles(join(root, "tmp")));
  await pins.open();
  return { helia, blocks, pins, lock: new StoreLock(), folder: root };
}

/**
 * Takes a block out that no pin holds. To be called when nothing else works on the node.
 *
 * @returns undefined when that was done, otherwise why not; of a pin in Kubo's words.
 */
export async function remove({ blocks, pins }: NodeParts, cid: CID): Promise<"absent" | `pinned${string}` | undefined> {
  const pin = await pins.find(cid);
  if (pin !== undefined) return pin.recursive ? "pinned: recursive" : "pinned: direct";
  if (await pins.holds(cid)) return "pinned via a recursive pin";
  if (!(await blocks.has(cid))) return "absent";
  await blocks.delete(cid);
  return undefined;
}
