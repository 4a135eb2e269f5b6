import { dirname, join } from "node:path";
import { FsDatastore } from "datastore-fs";
import { DurableFiles } from "../files/durable.ts";

type Key = Parameters<FsDatastore["put"]>[0];

/** Counts that Helia keeps for each block under a pin; many are written before the pin itself. */
const COUNTS = "/pinned-block/";
const AT_ONCE = 64;

/**
 * `datastore-fs` that survives a power cut: every value is synced before `put` returns.
 *
 * The exception is the counts of pinned blocks, which are synced together before the next other value, so before the
 * pin that they belong to is recorded.
 */
export class DurableDatastore extends FsDatastore {
  readonly #files: DurableFiles;
  readonly #unsynced = new Set<string>();

  constructor(folder: string) {
    super(folder);
    this.#files = new DurableFiles(join(folder, "..", "tmp"));
  }

  override async open(): Promise<void> {
    await super.open();
    await this.#files.open();
    await this.#files.makeFolder(this.path, this.path);
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    const { file } = this._encode(key);
    await this.#files.makeFolder(dirname(file), this.path);
    if (key.toString().startsWith(COUNTS)) {
      await this.#files.place(file, value, false);
      this.#unsynced.add(file);
    } else {
      await this.#syncCounts();
      await this.#files.write(file, value);
    }
    return key;
  }

  override async delete(key: Key): Promise<void> {
    const { file } = this._encode(key);
    this.#unsynced.delete(file);
    await super.delete(key);
  }

  async #syncCounts(): Promise<void> {
    const files = [...this.#unsynced];
    for (let i = 0; i < files.length; i += AT_ONCE) {
      await Promise.all(files.slice(i, i + AT_ONCE).map((file) => this.#files.sync(file)));
    }
    for (const file of files) this.#unsynced.delete(file);
  }
}
