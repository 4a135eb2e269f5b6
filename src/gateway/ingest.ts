import type { Random } from "../bytes/random.ts";
import { encodeBatch, BATCH_CLASSES } from "../log/batch.ts";
import { TooLargeError } from "../log/errors.ts";
import { epochOf, type Chunk } from "../log/chunk.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import { capacityOf } from "../seal/padding.ts";

/** Leaves of one chunk at the most, so that memory and block sizes stay bounded. */
const CHUNK_LEAVES = 65_536;
/** Epochs kept open at a time for sources whose times are not quite in order. */
const OPEN_EPOCHS = 2;

/** Refuses, by throwing, an observation that the gateway may not write; it is then not taken at all. */
export type Admit = (observation: Observation) => void;

/** Each idle epoch takes a header and a batch; beyond this the epochs are too short for the recording. */
const LONGEST_GAP = 100_000;

/** Signs a chunk and seals it into the epoch; without a chunk, says that the epoch is empty. `last`: the session expects no more of it. */
export type Flush = (epoch: number, chunk: Chunk | undefined, last: boolean) => Promise<void>;

/**
 * Sorts one stream's observations, as they come from an unsigned source, into epochs, cuts them into chunks and hands each on.
 * Memory is bounded by two epochs or 65,536 leaves each, whichever is less.
 */
export class StreamIngest {
  readonly #stream: StreamDescriptor;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #admit: Admit;
  readonly #flush: Flush;
  readonly #open = new Map<number, Observation[]>();
  /** Cut and not yet taken by `flush`: what failed is tried again as it was. */
  readonly #cut: Parameters<Flush>[] = [];
  #newest = -1;

  /** @param rand - Draws the seeds of the leaf salts. */
  constructor(stream: StreamDescriptor, clock: Clock, admit: Admit, flush: Flush, rand: Random) {
    this.#stream = stream;
    this.#clock = clock;
    this.#random = rand;
    this.#admit = admit;
    this.#flush = flush;
  }

  /** @throws what `flush` throws: this observation is then not taken, those before it are kept, and adding it again goes on. */
  async add(observation: Observation): Promise<void> {
    this.#admit(observation);
    const epoch = epochOf(observation.time, this.#stream.epochLength);
    if (this.#newest !== -1 && epoch - this.#newest > LONGEST_GAP) {
      throw new TooLargeError(`a gap of more than ${LONGEST_GAP} epochs`, {
        hint: "open the stream with longer epochs, or ingest what comes after the gap apart",
      });
    }
    if (epoch > this.#newest) {
      this.#close(epoch - OPEN_EPOCHS + 1);
      this.#fillIdle(epoch);
      this.#newest = epoch;
    }
    const full = this.#open.get(epoch);
    if (full && full.length >= CHUNK_LEAVES) {
      this.#open.delete(epoch);
      this.#chunk(epoch, full, false);
    }
    if (this.#cut.length > 0) await this.#drain();
    const rows = this.#open.get(epoch) ?? [];
    this.#open.set(epoch, rows);
    rows.push(observation);
  }

  /** Seals what is left; every epoch of the source is then said to be complete. @throws as `add`; finishing again goes on. */
  async finish(): Promise<void> {
    this.#close(Infinity);
    await this.#drain();
  }

  async #drain(): Promise<void> {
    for (let next = this.#cut[0]; next; next = this.#cut[0]) {
      await this.#flush(...next);
      this.#cut.shift();
    }
  }

  /** Closes open epochs before `before`, oldest first. */
  #close(before: number): void {
    for (const [epoch, rows] of [...this.#open].sort(([a], [b]) => a - b)) {
      if (epoch >= before) continue;
      this.#open.delete(epoch);
      this.#chunk(epoch, rows, true);
    }
  }

  /** An epoch in which nothing came gets an empty header, so that a cut tail shows. */
  #fillIdle(next: number): void {
    if (this.#newest === -1) return;
    for (let epoch = this.#newest + 1; epoch < next; epoch++) this.#cut.push([epoch, undefined, true]);
  }

  #chunk(epoch: number, observations: readonly Observation[], last: boolean): void {
    const chunk = { clock: this.#clock, seed: this.#random(32), observations };
    const largest = BATCH_CLASSES.at(-1) as number;
    const fits = encodeBatch([chunk], epoch * this.#stream.epochLength).length <= capacityOf(largest);
    if (fits || observations.length === 1) {
      this.#cut.push([epoch, chunk, last]);
      return;
    }
    const half = observations.length >> 1;
    this.#chunk(epoch, observations.slice(0, half), false);
    this.#chunk(epoch, observations.slice(half), last);
  }
}
