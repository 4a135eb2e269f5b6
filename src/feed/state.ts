import { inOrder } from "../gateway/state.ts";
import type { Observation } from "../observation/observation.ts";
import type { Blobs, Journal, Table } from "../state/journal.ts";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { parseState, stringifyState } from "../state/json.ts";

/** How far a message has got. */
export const LEVELS = ["stored", "replicated", "anchored"] as const;
export type Level = (typeof LEVELS)[number];

/** Readings of one message that go to one stream. */
export interface Group {
  readonly write: string;
  /** Id of the stream in hex. */
  readonly stream: string;
  readonly observations: readonly Observation[];
}

/** A message that was taken and is not sealed yet. */
export interface Arrival {
  readonly device: string;
  readonly counter: number;
  readonly groups: readonly Group[];
}

/** What is kept of a message once it was taken, so that it is known when it comes again. */
export interface Seen {
  /** SHA-256 of the line. */
  readonly digest: Uint8Array;
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

/** Counters from the first to the second, both included. */
export type Range = readonly [from: number, to: number];

/** Messages that are sealed together. It is written down before, so that a crash gives the same once more. */
export interface CutState {
  readonly from: number;
  readonly until: number;
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
  /** Number of the next cut, and of the oldest that is remembered. */
  readonly cut: number;
  readonly remembered: number;
  /** Rows ever put into quarantine. */
  readonly quarantined: number;
}

const FRESH: FeedPosition = { next: 0, uncut: 0, cut: 0, remembered: 0, quarantined: 0 };

/** What a feed must not lose. It lies in the gateway's journal, in tables of its own. */
export class FeedState {
  readonly devices: Table<DeviceState>;
  /** Cuts that are not anchored yet, by number. */
  readonly cuts: Table<CutState>;
  /** By leave to write and stream: the first epoch that was not said to be complete. */
  readonly progress: Table<number>;
  readonly arrivals: Values<Arrival>;
  readonly seen: Values<Seen>;
  /** Cuts that are anchored, by number, as long as they are remembered. */
  readonly past: Values<CutState>;
  readonly quarantine: Values<object>;
  readonly #position: Table<FeedPosition>;

  constructor(journal: Journal) {
    this.devices = journal.table("feed-device");
    this.cuts = journal.table("feed-cut");
    this.progress = journal.table("feed-progress");
    this.arrivals = valuesIn(journal.blobs("feed-arrival"));
    this.seen = valuesIn(journal.blobs("feed-seen"));
    this.past = valuesIn(journal.blobs("feed-past"));
    this.quarantine = valuesIn(journal.blobs("feed-quarantine"));
    this.#position = journal.table("feed-position");
  }

  get position(): FeedPosition {
    return this.#position.get("") ?? FRESH;
  }

  move(change: Partial<FeedPosition>): void {
    this.#position.set("", { ...this.position, ...change });
  }
}

export const seenName = (device: string, counter: number): string => `${device}/${inOrder(counter)}`;

/** Values that stay on disk. */
export interface Values<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
}

const valuesIn = <T>(blobs: Blobs): Values<T> => ({
  get: (key) => {
    const bytes = blobs.get(key);
    return bytes && (parseState(fromUtf8(bytes)) as T);
  },
  set: (key, value) => blobs.set(key, utf8(stringifyState(value))),
  delete: (key) => blobs.delete(key),
});

/** The state and its journal; changes at once are written one after the other. */
export class FeedJournal {
  readonly state: FeedState;
  readonly #journal: Journal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.state = new FeedState(journal);
  }

  /** @throws as `Journal.write`. */
  write(work: () => void): Promise<void> {
    const turn = this.#last.then(() => this.#journal.write(work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
