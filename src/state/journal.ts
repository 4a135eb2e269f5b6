import { compare, utf8 } from "../bytes/bytes.ts";
import { hkdfExpand, hmac } from "../bytes/hash.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { open, seal } from "../seal/seal.ts";
import { parseState, stringifyState } from "./json.ts";
import type { RowChange, Rows } from "./rows.ts";
import { oneByOne } from "./turns.ts";

/** A change that `write` may have to take back. */
interface Staged {
  readonly table: string;
  readonly key: string;
  /** Undefined to delete. Asked for only of the last change of a row. */
  readonly bytes: (() => Uint8Array) | undefined;
  readonly undo: () => void;
}

/**
 * What a role must not lose, as tables of small values and of blocks, sealed row by row. Changes are made in `write`: all of one call
 * become durable together, or none of them, in memory as well as on disk.
 */
export class Journal {
  readonly #rows: Rows;
  readonly #nameKey: Uint8Array;
  readonly #sealKey: Uint8Array;
  #staged: Staged[] | undefined;
  readonly #inTurn = oneByOne();

  /** @param key - 32 secret bytes, kept outside the journal. */
  constructor(rows: Rows, key: Uint8Array) {
    this.#rows = rows;
    this.#nameKey = hkdfExpand(key, utf8("medseal/v1/journal/name"));
    this.#sealKey = hkdfExpand(key, utf8("medseal/v1/journal/seal"));
  }

  /** A table that is held in memory. Values are JSON with bytes and big integers; replace them, do not change them. */
  table<T>(name: string): Table<T> {
    const values = new Map<string, T>();
    const stored = this.#rows.load(name).map((value) => this.#unsealed(name, value));
    for (const { key, bytes } of stored.sort((a, b) => compare(utf8(a.key), utf8(b.key))))
      values.set(key, parseState(new TextDecoder().decode(bytes)) as T);
    const swap = (key: string, value: T | undefined): void => {
      if (value === undefined) values.delete(key);
      else values.set(key, value);
    };
    return {
      get: (key) => values.get(key),
      entries: () => [...values].sort(([a], [b]) => (a < b ? -1 : 1)),
      set: (key, value) => {
        const before = values.get(key);
        this.#stage({ table: name, key, bytes: () => utf8(stringifyState(value)), undo: () => swap(key, before) });
        swap(key, value);
      },
      delete: (key) => {
        const before = values.get(key);
        if (before === undefined) return;
        this.#stage({ table: name, key, bytes: undefined, undo: () => swap(key, before) });
        swap(key, undefined);
      },
    };
  }

  /** A table whose values stay on disk. */
  blobs(name: string): Blobs {
    return {
      get: (key) => {
        const value = this.#rows.get(name, this.#nameOf(name, key));
        return value && this.#unsealed(name, value).bytes;
      },
      set: (key, bytes) => this.#stage({ table: name, key, bytes: () => bytes, undo: () => undefined }),
      delete: (key) => this.#stage({ table: name, key, bytes: undefined, undo: () => undefined }),
    };
  }

  /**
   * Makes the changes that `work` makes, once those of the calls before are made.
   *
   * @throws what `work` throws, and the rows' error when they cannot be stored; then nothing was changed.
   */
  write(work: () => void): Promise<void> {
    return this.#inTurn(() => this.#write(work));
  }

  async #write(work: () => void): Promise<void> {
    const staged: Staged[] = [];
    this.#staged = staged;
    try {
      work();
      const last = new Map(staged.map((change) => [`${change.table}\n${change.key}`, change]));
      if (last.size > 0) await this.#rows.apply([...last.values()].map((change) => this.#sealed(change)));
    } catch (error) {
      for (const { undo } of staged.reverse()) undo();
      throw error;
    } finally {
      this.#staged = undefined;
    }
  }

  close(): void {
    this.#rows.close();
  }

  #stage(change: Staged): void {
    if (!this.#staged) throw new Error("a journal is changed in `write` only");
    this.#staged.push(change);
  }

  #sealed({ table, key, bytes }: Staged): RowChange {
    const plain = bytes && new ByteWriter().text(key).raw(bytes()).finish();
    return { table, name: this.#nameOf(table, key), value: plain && seal(this.#sealKey, contextOf(table), plain) };
  }

  #unsealed(table: string, value: Uint8Array): { key: string; bytes: Uint8Array } {
    const reader = new ByteReader(open(this.#sealKey, contextOf(table), value), "journal row");
    return { key: reader.text(), bytes: reader.fixed(reader.left) };
  }

  /** Keyed, so that a name on disk says neither which stream nor which consent a row is about. */
  #nameOf(table: string, key: string): Uint8Array {
    return hmac(this.#nameKey, utf8(`${table}\n${key}`)).slice(0, 16);
  }
}

const contextOf = (table: string): Uint8Array => utf8(`medseal/v1/journal/${table}`);

export interface Table<T> {
  get(key: string): T | undefined;
  /** In the order of the keys. */
  entries(): [string, T][];
  set(key: string, value: T): void;
  delete(key: string): void;
}

export interface Blobs {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array): void;
  delete(key: string): void;
}

/** Names that sort as their numbers do. */
export const inOrder = (value: number): string => value.toString().padStart(16, "0");
