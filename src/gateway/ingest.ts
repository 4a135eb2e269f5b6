import { BATCH_CLASSES, encodeBatch, mostPacked, plainBatch, type MadeChunk } from "../log/batch.ts";
import { TooLargeError } from "../log/errors.ts";
import { epochOf, factsOf, type Chunk, type ChunkFacts } from "../log/chunk.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import { capacityOf } from "../seal/padding.ts";
import { oneByOne } from "../state/turns.ts";
import type { ChunkThreads } from "./threads.ts";

/** Leaves of one chunk at the most, so that memory and block sizes stay bounded. */
export const CHUNK_LEAVES = 65_536;
/** Epochs kept open at a time for sources whose times are not quite in order. */
const OPEN_EPOCHS = 2;
/** Epochs without a reading between others. Each takes a header and a batch; beyond this they are too short for what is recorded. */
const LONGEST_GAP = 10_000;
/** Bytes of the largest batch before it is sealed. */
const LARGEST = capacityOf(BATCH_CLASSES.at(-1) as number);
/** Leaves; a smaller chunk is made before a thread has begun. */
const WORTH_A_THREAD = 512;

/** Refuses, by throwing, an observation that the gateway may not write; it is then not taken at all. */
export type Admit = (observation: Observation) => void;

/** A chunk, and the batch that it makes alone, with its root when that is at hand: here, or soon from another thread. */
export interface CutChunk extends Chunk {
  readonly facts: ChunkFacts;
  readonly made: Omit<MadeChunk, "root"> | Promise<MadeChunk>;
}

/** What was cut and waits for `Flush`. Without a chunk it says that the epoch is empty. `last`: the source has no more of this epoch. */
export interface Cut {
  readonly epoch: number;
  readonly chunk: CutChunk | undefined;
  readonly last: boolean;
}

/** Signs a chunk and seals it into the epoch. `number` counts the calls of one source from 0: the same source makes the same calls. */
export type Flush = (number: number, cut: Cut) => Promise<void>;

/** The seed of the leaf salts of a chunk, 32 bytes, by its number. */
export type SeedOf = (number: number) => Uint8Array;

/**
 * Sorts one stream's observations, as they come from an unsigned source, into epochs, cuts them into chunks and hands each on.
 * Memory is bounded by two epochs or 65,536 leaves each, whichever is less, and as much for each chunk that is cut ahead for threads. Calls at once are taken one after the other.
 */
export class StreamIngest {
  readonly #stream: StreamDescriptor;
  readonly #clock: Clock;
  readonly #seedOf: SeedOf;
  readonly #admission: () => Admit;
  readonly #flush: Flush;
  readonly #finishing: () => Promise<number>;
  readonly #threads: ChunkThreads | undefined;
  /** Cuts that may wait, so that threads are busy. */
  readonly #ahead: number;
  /** By epoch, the one that was added to last at the end; `#current` is that one. */
  readonly #open = new Map<number, Observation[]>();
  /** Cut and not yet taken by `flush`: what failed is tried again as it was. */
  readonly #cut: Cut[] = [];
  #current: { readonly epoch: number; readonly rows: Observation[] } = { epoch: -1, rows: [] };
  #flushed = 0;
  #newest = -1;
  /** Of the observation before: values of one row have one time. */
  #before: { readonly time: string | undefined; readonly epoch: number } = { time: undefined, epoch: -1 };
  #finished = false;
  readonly #inTurn = oneByOne();

  /**
   * @param admission - What may be written now; asked again after each flush.
   * @param finishing - Called when `finish` has handed on everything, which returns its number.
   * @param threads - Make chunks while others are read and sealed; what waits for them is sealed a little later.
   */
  constructor(
    stream: StreamDescriptor,
    clock: Clock,
    admission: () => Admit,
    flush: Flush,
    seedOf: SeedOf,
    finishing: () => Promise<number>,
    threads?: ChunkThreads,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#seedOf = seedOf;
    this.#finishing = finishing;
    this.#threads = threads;
    this.#ahead = threads?.ahead ?? 0;
    this.#admission = admission;
    this.#flush = flush;
  }

  /** The oldest epoch of which something is not sealed yet, Infinity when all is. */
  get oldestOpen(): number {
    return Math.min(Infinity, ...this.#open.keys(), ...this.#cut.map(({ epoch }) => epoch));
  }

  /** Whether all was sealed and `finish` was the last call. */
  get finished(): boolean {
    return this.#finished && this.oldestOpen === Infinity;
  }

  /** @throws what `flush` throws: this observation is then not taken, those before it are kept, and adding it again goes on. */
  add(observation: Observation): Promise<void> {
    return this.#inTurn(() =>
      this.#addAll([observation], (_, error) => {
        throw error;
      }),
    );
  }

  /**
   * Adds many in one turn: what may be written is asked once and not for each.
   *
   * @param refused - Called for each that is not taken; the others are.
   * @throws what `flush` throws. Which were taken is then not known: for sources that can be given again from their start.
   */
  addAll(observations: readonly Observation[], refused: Refused): Promise<void> {
    return this.#inTurn(() => this.#addAll(observations, refused));
  }

  /**
   * Seals what is left; every epoch of the source is then said to be complete, and idle each one between it and what was recorded before.
   *
   * @returns how many were idle in between. @throws as `add`; finishing again goes on.
   */
  finish(): Promise<number> {
    return this.#inTurn(async () => {
      for (const epoch of [...this.#open.keys()].sort((a, b) => a - b)) this.#close(epoch);
      await this.#drain();
      const idle = await this.#finishing();
      this.#finished = true;
      return idle;
    });
  }

  async #addAll(observations: readonly Observation[], refused: Refused): Promise<void> {
    let admit: Admit | undefined;
    for (const observation of observations) {
      let epoch: number;
      try {
        admit ??= this.#admission();
        epoch = this.#check(observation, admit);
      } catch (error) {
        refused(observation, error);
        continue;
      }
      this.#finished = false;
      if (epoch !== this.#current.epoch || this.#current.rows.length >= CHUNK_LEAVES) this.#makeRoom(epoch);
      if (this.#cut.length > this.#ahead) {
        await this.#drain(this.#ahead);
        admit = undefined;
      }
      if (epoch !== this.#current.epoch) this.#turnTo(epoch);
      this.#current.rows.push(observation);
    }
  }

  /** @returns the epoch of an observation that may be taken. */
  #check(observation: Observation, admit: Admit): number {
    admit(observation);
    const { time } = observation;
    if (time !== this.#before.time) this.#before = { time, epoch: epochOf(time, this.#stream.epochLength) };
    const { epoch } = this.#before;
    if (this.#newest !== -1 && epoch - this.#newest > LONGEST_GAP) {
      throw new TooLargeError(`a gap of more than ${LONGEST_GAP} epochs`, {
        hint: "open the stream with longer epochs, or ingest what comes after the gap apart: audits show then that nothing says what was in between",
      });
    }
    if (isLong(observation) && !this.#chunkOf([observation], epoch))
      throw new TooLargeError("one reading is larger than the largest batch", { hint: "cut its samples into several" });
    return epoch;
  }

  /** Cuts what must be sealed before an observation of this epoch is taken. */
  #makeRoom(epoch: number): void {
    if (epoch > this.#newest) {
      for (const open of [...this.#open.keys()].sort((a, b) => a - b))
        if (open <= epoch - OPEN_EPOCHS) this.#close(open);
      this.#fillIdle(epoch);
      this.#newest = epoch;
    }
    // Backwards in time as well no more than two are open: the one that was added to longest ago is sealed, what comes for it is late.
    if (!this.#open.has(epoch) && this.#open.size >= OPEN_EPOCHS) this.#close(this.#open.keys().next().value as number);
    const rows = this.#open.get(epoch);
    if (rows && rows.length >= CHUNK_LEAVES) {
      this.#chunk(epoch, rows, false);
      this.#forget(epoch);
    }
  }

  #turnTo(epoch: number): void {
    const rows = this.#open.get(epoch) ?? [];
    this.#open.delete(epoch);
    this.#open.set(epoch, rows);
    this.#current = { epoch, rows };
  }

  #forget(epoch: number): void {
    this.#open.delete(epoch);
    if (this.#current.epoch === epoch) this.#current = { epoch: -1, rows: [] };
  }

  /** Hands on what was cut but for the last `ahead`. */
  async #drain(ahead = 0): Promise<void> {
    for (let next = this.#cut[0]; next && this.#cut.length > ahead; next = this.#cut[0]) {
      await this.#flush(this.#flushed, next);
      this.#flushed += 1;
      this.#cut.shift();
    }
  }

  #close(epoch: number): void {
    const rows = this.#open.get(epoch);
    if (rows) this.#chunk(epoch, rows, true);
    this.#forget(epoch);
  }

  /** An epoch in which nothing came gets an empty header, so that a cut tail shows. */
  #fillIdle(next: number): void {
    if (this.#newest === -1) return;
    for (let epoch = this.#newest + 1; epoch < next; epoch++) this.#cut.push({ epoch, chunk: undefined, last: true });
  }

  #chunk(epoch: number, observations: readonly Observation[], last: boolean): void {
    const chunk = this.#chunkOf(observations, epoch);
    if (chunk) {
      this.#cut.push({ epoch, chunk, last });
      return;
    }
    const half = observations.length >> 1;
    this.#chunk(epoch, observations.slice(0, half), false);
    this.#chunk(epoch, observations.slice(half), last);
  }

  /** Undefined when it is too large for a batch; a single observation is not, see `#check`. */
  #chunkOf(observations: readonly Observation[], epoch: number): CutChunk | undefined {
    const seed = this.#seedOf(this.#flushed + this.#cut.length);
    return chunkThatFits({ clock: this.#clock, seed, observations }, epoch * this.#stream.epochLength, this.#threads);
  }
}

/**
 * Undefined when a chunk is too large for a batch.
 *
 * @param base - Seconds at which its epoch begins.
 * @param threads - Take chunks that are worth the way, and fit whatever comes of compressing them.
 */
export function chunkThatFits(chunk: Chunk, base: number, threads?: ChunkThreads): CutChunk | undefined {
  try {
    const known = { ...chunk, facts: chunk.facts ?? factsOf(chunk.observations) };
    if (threads && chunk.observations.length >= WORTH_A_THREAD) {
      const plain = plainBatch([known], base);
      if (mostPacked(plain.length) <= LARGEST) return { ...known, made: threads.make({ plain, base }) };
    }
    const encoded = encodeBatch([known], base);
    return encoded.length <= LARGEST ? { ...known, made: { encoded } } : undefined;
  } catch (error) {
    if (error instanceof TooLargeError) return undefined;
    throw error;
  }
}

/** Told of an observation that was not taken, and why. */
export type Refused = (observation: Observation, error: unknown) => void;

/** Only sampled data, and text that a source wrote in a number's place, can be long. */
function isLong({ time, value }: Observation): boolean {
  const text = value.kind === "sampled" ? value.sampled.data : value.kind === "missing" ? value.source : "";
  return text.length + time.length > 100_000;
}
