import { closeSync, mkdirSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EXIT, MedSealError } from "../errors.ts";
import { isAbsent } from "../files/durable.ts";

/** A row to write; without a value, a row to delete. */
export interface RowChange {
  readonly table: string;
  readonly name: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Rows as they lie on disk: names and values that say nothing. */
export interface Rows {
  /** All values of a table, in no order. */
  load(table: string): Uint8Array[];
  get(table: string, name: Uint8Array): Uint8Array | undefined;
  /** Resolves when all changes would survive a power cut; when it fails, none was made. */
  apply(changes: readonly RowChange[]): Promise<void>;
  /** Takes out of the log what was overwritten or deleted, so that it is nowhere in its file any more; rows without a log have none. @throws JournalFailedError. */
  settle?(): void;
  close(): void;
}

/** Another process works with this journal. */
export class JournalBusyError extends MedSealError {
  readonly code = "ERR_JOURNAL_BUSY";
  override readonly exit = EXIT.unavailable;

  constructor(cause: unknown) {
    super("another process uses the journal", { hint: "stop it first: two would take each other's places", cause });
  }
}

/** The journal cannot be read or written: disk full, no permission, or damaged. */
export class JournalFailedError extends MedSealError {
  readonly code = "ERR_JOURNAL_FAILED";
  override readonly exit = EXIT.unavailable;
  /** Nothing was changed, and with more room the same will work. Otherwise only opening it anew tells what is on the disk. */
  readonly full: boolean;
  /** The disk refused: whether the file is whole does not show. */
  readonly disk: boolean;

  constructor(cause: unknown, full: boolean = codeOf(cause) === SQLITE_FULL) {
    const reason = cause instanceof Error ? cause.message : "unknown reason";
    super(`the journal cannot be read or written: ${reason}`, { hint: "check the disk and its free space", cause });
    this.full = full;
    this.disk = isOfDisk(cause);
  }
}

/** Bytes of a page: a commit writes whole ones, and most of its rows are small. */
const PAGE = 1024;
/** Pages of the log before a commit writes them to their places: it then takes milliseconds. */
const LOG_PAGES = 4_000;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
/** I/O error, no room, cannot be opened. A file that is too short is damaged. */
const DISK_CODES = [10, SQLITE_FULL, 14];
const SQLITE_SHORT_READ = 522;

/** Whether SQLite failed because the disk did, and not because of what is in a file. */
export function isOfDisk(error: unknown): boolean {
  const code = Number(codeOf(error) ?? 0);
  return DISK_CODES.includes(code & 0xff) && code !== SQLITE_SHORT_READ;
}

/** Whether SQLite found a file malformed. It also says so when the disk failed within a statement (`SQLITE_IOERR_CORRUPTFS`). */
export const isMalformed = (error: unknown): boolean => (Number(codeOf(error) ?? 0) & 0xff) === SQLITE_CORRUPT;

/** Reads a file and its log, to see whether the disk gives them. @throws JournalFailedError when it does not. */
export function readThrough(file: string): void {
  const buffer = new Uint8Array(1 << 16);
  for (const path of [file, `${file}-wal`]) {
    try {
      const handle = openSync(path, "r");
      try {
        while (readSync(handle, buffer) > 0);
      } finally {
        closeSync(handle);
      }
    } catch (error) {
      if (!isAbsent(error)) throw new JournalFailedError(error, false);
    }
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "errcode" in error ? error.errcode : undefined);

/** A row as it lies in a file. */
export interface RawRow {
  readonly table: string;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** Rows in one SQLite file; every call is done when it returns. @throws from each: JournalFailedError. */
export interface RowFile {
  load(table: string): Uint8Array[];
  get(table: string, name: Uint8Array): Uint8Array | undefined;
  /** All changes or none. Returns when they would survive a power cut. */
  commit(changes: Iterable<RowChange>): void;
  settle(): void;
  /** Every row of every table. */
  all(): Iterable<RawRow>;
  close(): void;
}

/**
 * Rows in an SQLite file: write-ahead log, synced at each commit, deleted rows overwritten. One process at a time holds it.
 *
 * @throws JournalBusyError, JournalFailedError.
 */
export function sqliteRows(file: string): Rows {
  const rows = openRowFile(file);
  return {
    load: (table) => rows.load(table),
    get: (table, name) => rows.get(table, name),
    // eslint wants no async without await; the interface leaves room for stores that are not synchronous.
    apply: (changes) => new Promise((resolve) => resolve(rows.commit(changes))),
    settle: () => rows.settle(),
    close: () => rows.close(),
  };
}

/** @throws JournalBusyError, JournalFailedError. */
export function openRowFile(file: string): RowFile {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = tried(() => new DatabaseSync(file));
  try {
    return tried(() => rowsIn(database));
  } catch (error) {
    database.close();
    throw error;
  }
}

function rowsIn(database: DatabaseSync): RowFile {
  database.exec(`PRAGMA page_size = ${PAGE}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL`);
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 0");
  database.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
  database.exec(
    "CREATE TABLE IF NOT EXISTS row (kind TEXT, name BLOB, value BLOB NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID",
  );
  // Takes the lock at once, and not with the first write.
  database.exec("BEGIN IMMEDIATE; COMMIT");
  const some = database.prepare("SELECT value FROM row WHERE kind = ?");
  const one = database.prepare("SELECT value FROM row WHERE kind = ? AND name = ?");
  const every = database.prepare("SELECT kind, name, value FROM row");
  const put = database.prepare("INSERT OR REPLACE INTO row (kind, name, value) VALUES (?, ?, ?)");
  const drop = database.prepare("DELETE FROM row WHERE kind = ? AND name = ?");

  function commit(changes: Iterable<RowChange>): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const { table, name, value } of changes) {
        if (value) put.run(table, name, value);
        else drop.run(table, name);
      }
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
  function* all(): Generator<RawRow> {
    for (const { kind, name, value } of every.iterate())
      yield { table: kind as string, name: bytesOf(name), value: bytesOf(value) };
  }
  return {
    load: (table) => tried(() => some.all(table).map(({ value }) => bytesOf(value))),
    get: (table, name) =>
      tried(() => {
        const row = one.get(table, name);
        return row && bytesOf(row["value"]);
      }),
    commit: (changes) => tried(() => commit(changes)),
    settle: () => tried(() => database.exec("PRAGMA wal_checkpoint(TRUNCATE)")),
    all,
    close: () => database.close(),
  };
}

const bytesOf = (value: unknown): Uint8Array => new Uint8Array(value as Uint8Array);

function tried<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JournalFailedError) throw error;
    throw codeOf(error) === SQLITE_BUSY ? new JournalBusyError(error) : new JournalFailedError(error);
  }
}
