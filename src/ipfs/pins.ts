import { mkdir, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import type { Helia } from "helia";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { decode as decodeMultihash } from "multiformats/hashes/digest";
import { equal, utf8 } from "../bytes/bytes.ts";
import { DurableFiles, isAlive } from "../files/durable.ts";
import { LinkAlteredError, LinkMissingError, listWalker, strictWalker } from "./walk.ts";

const COUNTS = "/pinned-block/";

export interface KeptPin {
  readonly cid: CID;
  readonly recursive: boolean;
  readonly name: string | undefined;
}

/**
 * Helia's pins, made to survive crashes and damage.
 *
 * Helia counts the pins of each block one after the other, and finds the blocks by reading them. So everything below a
 * pin is looked at before anything is counted; what is under way is noted in a file and undone at the next start; and
 * when a root was lost or altered, its blocks are found by what their counts say.
 */
export class PinKeeper {
  readonly #helia: Helia;
  readonly #folder: string;
  readonly #files: DurableFiles;

  /** @param folder - Where pins that are being made or let go are noted. */
  constructor(helia: Helia, folder: string, files: DurableFiles) {
    this.#helia = helia;
    this.#folder = folder;
    this.#files = files;
  }

  /** Lets go of pins that were being made or let go at a crash: neither was acknowledged as pinned. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const name of await readdir(this.#folder)) {
      const owner = Number(await readFile(join(this.#folder, name), "utf8"));
      if (owner === process.pid || !isAlive(owner)) await this.#release(CID.parse(name));
    }
  }

  /** Pins again with the new name when it is pinned already. @throws LinkMissingError, LinkAlteredError. */
  async add(cid: CID, recursive: boolean, name: string | undefined): Promise<void> {
    const { pins } = this.#helia;
    const metadata: Record<string, string> = name === undefined ? {} : { name };
    const current = await this.find(cid);
    if (current?.recursive === recursive) {
      await pins.setMetadata(cid, metadata);
      return;
    }
    if (current !== undefined) await this.remove(cid);
    const depth = recursive ? Infinity : 0;
    const held = await collect(this.#walk(cid, depth));
    await this.#note(cid);
    await drain(pins.add(cid, { depth, metadata, walker: listWalker(held) }));
    await this.#forgetNote(cid);
  }

  /** @returns false when this was no pin. */
  async remove(cid: CID): Promise<boolean> {
    if ((await this.find(cid)) === undefined) return false;
    await this.#note(cid);
    await this.#release(cid);
    return true;
  }

  async find(cid: CID): Promise<KeptPin | undefined> {
    try {
      const { depth, metadata } = await this.#helia.pins.get(cid);
      return { cid, recursive: depth === Infinity, name: nameIn(metadata) };
    } catch (error) {
      if (error instanceof Error && error.name === "NotFoundError") return undefined;
      throw error;
    }
  }

  /** Whether a pin holds the block, directly or from above. */
  holds(cid: CID): Promise<boolean> {
    return this.#helia.pins.isPinned(cid);
  }

  async *list(): AsyncGenerator<KeptPin> {
    for await (const { cid, depth, metadata } of this.#helia.pins.ls()) {
      yield { cid, recursive: depth === Infinity, name: nameIn(metadata) };
    }
  }

  /** Blocks below a recursive pin. */
  async *below(root: CID): AsyncGenerator<CID> {
    for await (const cid of this.#walk(root, Infinity)) {
      if (!cid.equals(root)) yield cid;
    }
  }

  async #release(root: CID): Promise<void> {
    const walker = listWalker(await this.#heldBy(root));
    // The crash may have come after Helia forgot the pin; it releases blocks only of one that it knows.
    if ((await this.find(root)) === undefined) await drain(this.#helia.pins.add(root, { walker }));
    await drain(this.#helia.pins.rm(root, { walker }));
    await this.#forgetNote(root);
  }

  /** The root and what lies below it. */
  async *#walk(root: CID, depth: number): AsyncGenerator<CID> {
    const { blockstore, getCodec } = this.#helia;
    for await (const { block } of strictWalker({ blockstore, getCodec }).walk(root, { depth })) yield block.cid;
  }

  #note(cid: CID): Promise<void> {
    return this.#files.write(join(this.#folder, cid.toString()), utf8(String(process.pid)));
  }

  /** Synced, as a note that came back after a power cut would undo a pin that was acknowledged. */
  async #forgetNote(cid: CID): Promise<void> {
    await unlink(join(this.#folder, cid.toString()));
    await this.#files.syncFolder(this.#folder);
  }

  async #heldBy(root: CID): Promise<CID[]> {
    try {
      return await collect(this.#walk(root, Infinity));
    } catch (error) {
      if (!(error instanceof LinkMissingError || error instanceof LinkAlteredError)) throw error;
      return await collect(this.#countedUnder(root));
    }
  }

  /** Reads every count: slow in a large store, and needed only when what links to the blocks is damaged. */
  async *#countedUnder(root: CID): AsyncGenerator<CID> {
    for await (const { key, value } of this.#helia.datastore.query({ prefix: COUNTS })) {
      const { pinnedBy } = dagCbor.decode<{ pinnedBy: Uint8Array[] }>(value);
      if (!pinnedBy.some((bytes) => equal(bytes, root.bytes))) continue;
      yield CID.createV1(raw.code, decodeMultihash(base36.decode(key.baseNamespace())));
    }
  }
}

function nameIn(metadata: Readonly<Record<string, unknown>>): string | undefined {
  return typeof metadata["name"] === "string" ? metadata["name"] : undefined;
}

async function drain(work: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of work);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
