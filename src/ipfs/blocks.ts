import { constants, existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { Blockstore, InputPair, Pair } from "interface-blockstore";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { concat, equal, utf8 } from "../bytes/bytes.ts";
import { DurableFiles, isAbsent } from "../files/durable.ts";
import { AT_ONCE } from "../files/regular.ts";
import { cidOf, DIGEST_SIZE, SHA2_256 } from "./cid.ts";

const MARKER = "MEDSEAL-BLOCKS";
const MARKER_TEXT = "medseal-blocks 1\n";
const ENDING = ".block";
const GROUP = 64;

type Input = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** The folder does not hold the block. The name is the one Helia looks for. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/**
 * A Helia blockstore over plain files: one a block, named by the CIDv1 that a raw block with its multihash has, in 256
 * folders by the last byte of the digest. Several processes may use one folder.
 *
 * It does not hash what it reads: whoever asks for a block does, and so sees what was altered.
 */
export class FileBlockstore implements Blockstore {
  readonly #folder: string;
  readonly #files: DurableFiles;

  constructor(folder: string) {
    this.#folder = folder;
    this.#files = new DurableFiles(join(folder, "tmp"));
  }

  /** @throws Error when the folder holds something else, or blocks of a version unknown here. */
  async open(): Promise<void> {
    await this.#files.open();
    await this.#mark();
    const shards = Array.from({ length: 256 }, (_, byte) => this.#shard(byte));
    await Promise.all(shards.map((shard) => mkdir(shard, { recursive: true })));
    await this.#files.syncFolder(this.#folder);
    await this.#files.syncFolder(dirname(this.#folder));
  }

  /** Where the block lies, whether it is there or not. */
  path(cid: CID): string {
    const { code, digest } = cid.multihash;
    if (code === SHA2_256 && digest.length === DIGEST_SIZE) return fileOf(this.#folder, digest);
    return join(this.#shard(digest.at(-1) ?? 0), CID.createV1(raw.code, cid.multihash).toString() + ENDING);
  }

  /** Returns once the block would survive a power cut. Replaces a file whose bytes are not these. */
  async put(cid: CID, val: Input): Promise<CID> {
    const bytes = await gather(val);
    const path = this.path(cid);
    if (await holds(path, bytes)) {
      // A process that crashed, or one that is still writing, may have renamed it without having synced the folder.
      await this.#files.sync(path);
    } else {
      await this.#files.write(path, bytes);
    }
    return cid;
  }

  /** Writes groups of blocks at once, so that they share the syncs of their folders. */
  async *putMany(source: Iterable<InputPair> | AsyncIterable<InputPair>): AsyncGenerator<CID> {
    let group: Promise<CID>[] = [];
    for await (const { cid, bytes } of source) {
      group.push(this.put(cid, bytes));
      if (group.length < GROUP) continue;
      yield* await Promise.all(group);
      group = [];
    }
    yield* await Promise.all(group);
  }

  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await this.read(cid);
  }

  /** The bytes that lie in the block's place. @throws NotFoundError. */
  async read(cid: CID): Promise<Uint8Array> {
    try {
      return await readBlock(this.path(cid));
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await this.#requireFolder();
      throw new NotFoundError("no such block");
    }
  }

  async *getMany(source: Iterable<CID> | AsyncIterable<CID>): AsyncGenerator<Pair> {
    for await (const cid of source) yield { cid, bytes: this.get(cid) };
  }

  async has(cid: CID): Promise<boolean> {
    return (await this.size(cid)) !== undefined;
  }

  /** Length of the file in bytes; `undefined` when there is none. */
  async size(cid: CID): Promise<number | undefined> {
    try {
      return (await stat(this.path(cid))).size;
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await this.#requireFolder();
      return undefined;
    }
  }

  /** Returns once the removal would survive a power cut. */
  async delete(cid: CID): Promise<void> {
    const path = this.path(cid);
    try {
      await unlink(path);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await this.#requireFolder();
    }
    await this.#files.syncFolder(dirname(path));
  }

  async *deleteMany(source: Iterable<CID> | AsyncIterable<CID>): AsyncGenerator<CID> {
    for await (const cid of source) {
      await this.delete(cid);
      yield cid;
    }
  }

  /** Every block, as a raw one: the folder knows multihashes only. Passes over files that are not blocks. */
  async *getAll(): AsyncGenerator<Pair> {
    for (let byte = 0; byte < 256; byte++) {
      for (const name of await readdir(this.#shard(byte))) {
        const cid = cidIn(name);
        if (cid !== undefined) yield { cid, bytes: this.get(cid) };
      }
    }
  }

  #shard(byte: number): string {
    return shardOf(this.#folder, byte);
  }

  async #mark(): Promise<void> {
    const path = join(this.#folder, MARKER);
    try {
      if ((await readFile(path, "utf8")) !== MARKER_TEXT) throw new Error(`${MARKER} names another version`);
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await this.#files.write(path, utf8(MARKER_TEXT));
    }
  }

  /** Tells a folder without the block from a folder that is away, such as an unmounted disk. */
  async #requireFolder(): Promise<void> {
    try {
      await stat(join(this.#folder, MARKER));
    } catch (error) {
      throw new Error("the folder of the blocks is away", { cause: error });
    }
  }
}

/** The file of the block with this SHA-256 digest, in the folder of a `FileBlockstore`. */
export const fileOf = (folder: string, digest: Uint8Array): string =>
  shardOf(folder, digest[DIGEST_SIZE - 1] as number) + sep + cidOf(digest) + ENDING;

/** Tells the folder of a `FileBlockstore` from one that is away, such as an unmounted disk. */
export const isBlockFolder = (folder: string): boolean => existsSync(join(folder, MARKER));

const shardOf = (folder: string, byte: number): string => folder + sep + byte.toString(16).padStart(2, "0");

async function gather(val: Input): Promise<Uint8Array> {
  if (val instanceof Uint8Array) return val;
  const parts: Uint8Array[] = [];
  for await (const part of val) parts.push(part);
  return concat(...parts);
}

/** Of a pipe or device in place of a block, too. */
export const READ = constants.O_RDONLY | AT_ONCE;

async function readBlock(path: string): Promise<Uint8Array> {
  const file = await open(path, READ);
  try {
    if (!(await file.stat()).isFile()) throw new Error("what lies in place of the block is no file");
    const { buffer, byteOffset, length } = await file.readFile();
    return new Uint8Array(buffer, byteOffset, length);
  } finally {
    await file.close();
  }
}

/** Whether the file holds exactly these bytes; one that cannot be read does not. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return equal(await readBlock(path), bytes);
  } catch {
    return false;
  }
}

function cidIn(name: string): CID | undefined {
  if (!name.endsWith(ENDING)) return undefined;
  try {
    return CID.parse(name.slice(0, -ENDING.length));
  } catch {
    return undefined;
  }
}
