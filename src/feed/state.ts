import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Observation } from "../observation/observation.ts";
import { inOrder, type Blobs, type Journal, type Table } from "../state/journal.ts";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { parseState, stringifyState } from "../state/json.ts";
import { oneByOne } from "../state/turns.ts";
import type { Quarantined } from "./quarantine.ts";
import { RecentRows } from "./recent.ts";
import { SeenBook } from "./seen.ts";

/** How far a message has got. */
export const LEVELS = ["stored", "replicated", "anchored"] as const;
export type Level = (typeof LEVELS)[number];

/** Readings of one message that go to one stream. */
export interface Group {
  readonly write: string;
  /** Id of the stream in hex. */
  readonly stream: string;
  /** Their keys are forgotten: they go to the patient's late box. */
  readonly late?: true;
  readonly observations: readonly Observation[];
}

/** A message that came for the first time. */
export interface Arrival {
  readonly device: string;
  readonly counter: number;
  /** Empty when nothing of it could be taken. */
  readonly groups: readonly Group[];
  readonly seen: Seen;
}

/** Messages that were made durable together. */
export type Row = readonly Arrival[];

/** What is kept of a message once it was taken, so that it is known when it comes again. */
export interface Seen {
  /** SHA-256 of the line, in hex. */
  readonly digest: string;
  /** Its place among all that was taken; undefined when nothing of it could be. */
  readonly place: number | undefined;
  /** Unix seconds by the gateway's clock, and what the device's clock said. */
  readonly received: number;
  readonly sent: string | undefined;
  /** Seconds that the device's clock was ahead when that was flagged. */
  readonly skew: number | undefined;
  readonly quarantined: number;
}

export interface DeviceState {
  readonly highest: number;
  readonly messages: number;
  readonly received: number;
}

/** Numbers from the first to the second: of counters both included, of rows without the second. */
export type Range = readonly [from: number, to: number];

/** Messages that are sealed together. It is written down before, so that a crash gives the same once more. */
export interface CutState {
  readonly from: number;
  readonly until: number;
  /** The rows that they are in. */
  readonly rows: Range;
  /** Epochs that ended before it, in unix seconds, are said to be complete. */
  readonly over: number;
  /** Counters of its messages, by device. */
  readonly ranges: Readonly<Record<string, readonly Range[]>>;
  /** Sealed batches of the gateway once all of it was sealed. */
  readonly sealed?: number;
  /** No later checkpoint has any of it. */
  readonly checkpoint?: number;
  readonly level: Level;
  /** Block of the checkpoint and its time in unix seconds. */
  readonly block?: number;
  readonly blockTime?: number;
}

export interface FeedPosition {
  /** Place of the next message, and of the first that no finished cut has. */
  readonly next: number;
  readonly uncut: number;
  /** Number of the next row, of the first that no finished cut has, of the first that is still there, and of the first whose messages are on no page; see `SeenBook`. */
  readonly rows: number;
  readonly uncutRow: number;
  readonly cleared: number;
  readonly folded: number;
  /** Number of the next cut, and of the oldest that is remembered. */
  readonly cut: number;
  readonly remembered: number;
  /** Rows ever put into quarantine, and those that stand there. */
  readonly quarantined: number;
  readonly kept: number;
}

const FRESH: FeedPosition = {
  next: 0,
  uncut: 0,
  rows: 0,
  uncutRow: 0,
  cleared: 0,
  folded: 0,
  cut: 0,
  remembered: 0,
  quarantined: 0,
  kept: 0,
};

/** What a feed must not lose. It lies in the gateway's journal, in tables of its own. */
export class FeedState {
  readonly devices: Table<DeviceState>;
  /** Cuts that are not anchored yet, by number. */
  readonly cuts: Table<CutState>;
  /** By leave to write and stream: the first epoch that was not said to be complete. */
  readonly progress: Table<number>;
  readonly rows: Values<Row>;
  /** Messages by device and counter, see `SeenBook`. */
  readonly pages: Values<Readonly<Record<number, Seen>>>;
  /** Cuts that are anchored, by number, as long as they are remembered. */
  readonly past: Values<CutState>;
  readonly quarantine: Values<Quarantined>;
  /** What the monitor beside the gateway knows this journal by. */
  readonly monitor: Table<{ readonly journal: string }>;
  readonly recent = new RecentRows();
  readonly #position: Table<FeedPosition>;

  constructor(journal: Journal) {
    this.devices = journal.table("feed-device");
    this.cuts = journal.table("feed-cut");
    this.progress = journal.table("feed-progress");
    this.rows = valuesIn(journal.blobs("feed-row"));
    this.pages = valuesIn(journal.blobs("feed-page"));
    this.past = valuesIn(journal.blobs("feed-past"));
    this.quarantine = valuesIn(journal.blobs("feed-quarantine"));
    this.monitor = journal.table("feed-monitor");
    this.#position = journal.table("feed-position");
  }

  get position(): FeedPosition {
    return this.#position.get("") ?? FRESH;
  }

  /** @throws Error when it is gone. */
  rowAt(number: number): Row {
    return this.recent.take(number) ?? this.#kept(number);
  }

  /** As `rowAt`, for others than sealing: it is still held for that. */
  look(number: number): Row {
    return this.recent.look(number) ?? this.#kept(number);
  }

  #kept(number: number): Row {
    const row = this.rows.get(inOrder(number));
    if (!row) throw new Error("what was stored is not in the journal");
    return row;
  }

  move(change: Partial<FeedPosition>): void {
    this.#position.set("", { ...this.position, ...change });
  }
}

/** Values that stay on disk, compressed: the less a commit writes, the sooner it is durable. */
export interface Values<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
}

const QUICKLY = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const valuesIn = <T>(blobs: Blobs): Values<T> => ({
  get: (key) => {
    const bytes = blobs.get(key);
    return bytes && (parseState(fromUtf8(zstdDecompressSync(bytes))) as T);
  },
  set: (key, value) => blobs.set(key, zstdCompressSync(utf8(stringifyState(value)), QUICKLY)),
  delete: (key) => blobs.delete(key),
});

/** The state and its journal; changes at once are written one after the other. */
export class FeedJournal {
  readonly state: FeedState;
  readonly seen: SeenBook;
  readonly #journal: Journal;
  readonly #inTurn = oneByOne();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.state = new FeedState(journal);
    this.seen = new SeenBook(this.state);
  }

  /** @param done - Called once it is durable, before anything else is written. @throws as `Journal.write`. */
  write(work: () => void, done: () => void = () => undefined): Promise<void> {
    return this.#inTurn(() => this.#journal.write(work).then(done));
  }
}
