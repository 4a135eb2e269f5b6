import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import { getAddress } from "ethers";
import type { Hex } from "../consent/consent.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { isMalformed, isOfDisk } from "../state/rows.ts";
import { DeploymentError, LedgerUnavailableError } from "./errors.ts";

export type EventKind = "granted" | "revoked" | "allRevoked";

const KINDS: readonly EventKind[] = ["granted", "revoked", "allRevoked"];

/** An event of the registry with what the state follows from. */
export interface LedgerEvent {
  readonly kind: EventKind;
  readonly block: number;
  readonly index: number;
  readonly grantor: Hex;
  /** Absent for `allRevoked`. */
  readonly consentId?: Hex;
  /** `issuedAt` of a grant, `endedBefore` of `allRevoked`, 0 of a revocation. */
  readonly value: number;
  /** Time of its block, in unix seconds. */
  readonly time: number;
}

/** A block up to which the ledger is complete. */
export interface SyncedBlock {
  readonly number: number;
  readonly hash: Hex;
  readonly time: number;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, time INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS event (
    block INTEGER NOT NULL, log INTEGER NOT NULL, kind INTEGER NOT NULL, grantor BLOB NOT NULL, id BLOB NOT NULL,
    value INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (block, log)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS event_of_consent ON event (grantor, id, block, log);
  CREATE TABLE IF NOT EXISTS signed (
    grantor BLOB NOT NULL, id BLOB NOT NULL, issued_at INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (grantor, id)
  ) STRICT, WITHOUT ROWID;
`;

/** Stands for the id where an event or message concerns all consents of a grantor. */
const ALL = new Uint8Array(0);

/**
 * Where a ledger lives: a file, or memory. Holds public events, hashes of the blocks that may still change, and signed
 * ends that were handed in. One process writes to a file at a time.
 */
export class LedgerStore {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #writes = 0;

  /**
   * @param path - A file, or `:memory:`.
   * @throws DeploymentError when the file is the ledger of another registry, or not a ledger; LedgerUnavailableError, as all methods.
   */
  constructor(path: string, of: RegistryAddress) {
    let db: DatabaseSync | undefined;
    try {
      this.#db = db = new DatabaseSync(path);
      this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;");
      this.#db.exec(SCHEMA);
    } catch (cause) {
      db?.close();
      throw isOutage(cause)
        ? new LedgerUnavailableError(cause)
        : new DeploymentError("the ledger file cannot be opened as a ledger", { cause });
    }
    const about = `medseal-ledger 1 ${of.chainId} ${of.registry}`;
    this.#run("INSERT OR IGNORE INTO about VALUES ('ledger', ?)", about);
    if (this.#get("SELECT value FROM about WHERE key = 'ledger'")?.value !== about) {
      this.#db.close();
      throw new DeploymentError("the ledger file belongs to another chain or registry");
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** All of `work` or nothing. */
  transaction<T>(work: () => T): T {
    tried(() => this.#db.exec("BEGIN IMMEDIATE"));
    try {
      const result = work();
      tried(() => this.#db.exec("COMMIT"));
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      this.#writes += 1;
      throw error;
    }
  }

  /** Another after each change, whoever made it. */
  get version(): string {
    return `${this.#writes}/${this.#get("PRAGMA data_version")?.data_version as number}`;
  }

  /** Blocks kept, newest first: those above the last final one, and that one. */
  *blocks(): Generator<SyncedBlock> {
    let below = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const row = this.#get("SELECT * FROM block WHERE number < ? ORDER BY number DESC LIMIT 1", below);
      if (row === undefined) return;
      below = row.number as number;
      yield { number: below, hash: hex0x(row.hash as Uint8Array), time: row.time as number };
    }
  }

  /** Number of the block up to which beginnings count, -1 before the first. */
  get finalBlock(): number {
    return Number(this.#get("SELECT value FROM about WHERE key = 'final'")?.value ?? -1);
  }

  /** Remembers a final block and forgets the hashes of those before it. */
  setFinal(number: number): void {
    this.#run("INSERT OR REPLACE INTO about VALUES ('final', ?)", String(number));
    this.#run("DELETE FROM block WHERE number < ?", number);
  }

  addBlock(block: SyncedBlock): void {
    this.#run("INSERT OR REPLACE INTO block VALUES (?, ?, ?)", block.number, fromHex(block.hash), block.time);
  }

  addEvent(event: LedgerEvent): void {
    this.#run(
      "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)",
      event.block,
      event.index,
      KINDS.indexOf(event.kind),
      fromHex(event.grantor),
      idOf(event.consentId),
      event.value,
      event.time,
    );
  }

  /** Takes over blocks and events of another ledger of the same registry; signed ends stay. */
  replaceBy(other: LedgerStore): void {
    this.transaction(() => {
      this.#run("DELETE FROM event");
      this.#run("DELETE FROM block");
      for (const event of other.eventsUntil(Number.MAX_SAFE_INTEGER)) this.addEvent(event);
      for (const block of other.blocks()) this.addBlock(block);
      this.#run("INSERT OR REPLACE INTO about VALUES ('final', ?)", String(other.finalBlock));
    });
  }

  /** Forgets what lies in blocks after `number`. */
  rollBack(number: number): void {
    this.#run("DELETE FROM event WHERE block > ?", number);
    this.#run("DELETE FROM block WHERE number > ?", number);
  }

  /** Events of one consent, or with no id those of all consents of the grantor; in the order of the chain. */
  events(grantor: Hex, consentId: Hex | undefined): LedgerEvent[] {
    return this.#all(
      "SELECT * FROM event WHERE grantor = ? AND id = ? ORDER BY block, log",
      fromHex(grantor),
      idOf(consentId),
    ).map((row) => toEvent(row, grantor));
  }

  /** Every event up to a block, in the order of the chain. */
  *eventsUntil(block: number): Generator<LedgerEvent> {
    const statement = this.#db.prepare("SELECT * FROM event WHERE block <= ? ORDER BY block, log");
    // A checksum costs a hash, and few grantors have many events.
    const checksummed = new Map<string, Hex>();
    for (const row of statement.iterate(block)) {
      const address = hex0x(row.grantor as Uint8Array);
      const grantor = checksummed.get(address) ?? (getAddress(address) as Hex);
      checksummed.set(address, grantor);
      yield toEvent(row, grantor);
    }
  }

  get eventCount(): number {
    return this.#get("SELECT count(*) AS n FROM event")?.n as number;
  }

  /** Keeps a signed end; of several for all consents, the one issued last. */
  addSigned(grantor: Hex, consentId: Hex | undefined, issuedAt: number, message: string): void {
    this.#run(
      `INSERT INTO signed VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET issued_at = excluded.issued_at, message = excluded.message WHERE excluded.issued_at > issued_at`,
      fromHex(grantor),
      idOf(consentId),
      issuedAt,
      message,
    );
  }

  /** @returns the issue time of a signed end (0 for one consent), or undefined. */
  signedEnd(grantor: Hex, consentId: Hex | undefined): number | undefined {
    const sql = "SELECT issued_at FROM signed WHERE grantor = ? AND id = ?";
    return this.#get(sql, fromHex(grantor), idOf(consentId))?.issued_at as number | undefined;
  }

  /** Every signed end handed in, as JSON, for whoever sends them again until they are final. */
  signedMessages(): string[] {
    return this.#all("SELECT message FROM signed ORDER BY grantor, id").map((row) => row.message as string);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #run = (sql: string, ...values: SQLInputValue[]) => {
    this.#writes += 1;
    return tried(() => this.#prepare(sql).run(...values));
  };
  #get = (sql: string, ...values: SQLInputValue[]) => tried(() => this.#prepare(sql).get(...values));
  #all = (sql: string, ...values: SQLInputValue[]) => tried(() => this.#prepare(sql).all(...values));
}

/** A disk that fails within a statement makes SQLite call the file malformed. */
const isOutage = (error: unknown): boolean => isOfDisk(error) || isMalformed(error);

function tried<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isOutage(error) ? new LedgerUnavailableError(error) : error;
  }
}

const idOf = (consentId: Hex | undefined): Uint8Array => (consentId === undefined ? ALL : fromHex(consentId));

function toEvent(row: Record<string, unknown>, grantor: Hex): LedgerEvent {
  const id = row.id as Uint8Array;
  return {
    kind: KINDS[row.kind as number] as EventKind,
    block: row.block as number,
    index: row.log as number,
    grantor,
    ...(id.length > 0 && { consentId: hex0x(id) }),
    value: row.value as number,
    time: row.time as number,
  };
}
