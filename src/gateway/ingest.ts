import { random as systemRandom, type Random } from "../bytes/random.ts";
import type { SigningKeyPair } from "../keys/signature.ts";
import { encodeBatch, BATCH_CLASSES } from "../log/batch.ts";
import { TooLargeError } from "../log/errors.ts";
import { epochOf, chunkRoot } from "../log/chunk.ts";
import type { SignedChunk } from "../log/sealed-batch.ts";
import { signStatement, type SignerState } from "../log/signer.ts";
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

/** Takes one chunk's rows: seals them into the epoch. `last`: the session expects no more of it. */
export type Flush = (epoch: number, chunks: readonly SignedChunk[], last: boolean) => Promise<void>;

export interface Signing {
  readonly key: SigningKeyPair;
  readonly state: SignerState;
  readonly firmware: number;
  readonly random?: Random;
}

/**
 * Sorts one stream's observations, as they come from an unsigned source, into epochs, signs them as chunks and hands each on.
 * Memory is bounded by two epochs or 65,536 leaves each, whichever is less.
 */
export class StreamIngest {
  readonly #stream: StreamDescriptor;
  readonly #clock: Clock;
  readonly #signing: Signing;
  readonly #admit: Admit;
  readonly #flush: Flush;
  readonly #open = new Map<number, Observation[]>();
  #newest = -1;

  constructor(stream: StreamDescriptor, clock: Clock, signing: Signing, admit: Admit, flush: Flush) {
    this.#stream = stream;
    this.#clock = clock;
    this.#signing = signing;
    this.#admit = admit;
    this.#flush = flush;
  }

  async add(observation: Observation): Promise<void> {
    this.#admit(observation);
    const epoch = epochOf(observation.time, this.#stream.epochLength);
    if (this.#newest !== -1 && epoch - this.#newest > LONGEST_GAP) {
      throw new TooLargeError(`a gap of more than ${LONGEST_GAP} epochs`, {
        hint: "open the stream with longer epochs, or ingest what comes after the gap apart",
      });
    }
    const rows = this.#open.get(epoch) ?? [];
    this.#open.set(epoch, rows);
    rows.push(observation);
    if (rows.length >= CHUNK_LEAVES) {
      await this.#seal(epoch, rows, false);
      this.#open.set(epoch, []);
    }
    if (epoch > this.#newest) {
      await this.#close(epoch - OPEN_EPOCHS + 1);
      await this.#fillIdle(epoch);
      this.#newest = epoch;
    }
  }

  /** Seals what is left; every epoch of the source is then said to be complete. */
  async finish(): Promise<void> {
    await this.#close(Infinity);
  }

  /** Closes open epochs before `before`, oldest first. */
  async #close(before: number): Promise<void> {
    for (const [epoch, rows] of [...this.#open].sort(([a], [b]) => a - b)) {
      if (epoch >= before) continue;
      await this.#seal(epoch, rows, true);
      // Only now: a store that is away for a while loses no rows.
      this.#open.delete(epoch);
    }
  }

  /** An epoch in which nothing came gets an empty header, so that a cut tail shows. */
  async #fillIdle(next: number): Promise<void> {
    if (this.#newest === -1) return;
    for (let epoch = this.#newest + 1; epoch < next; epoch++) await this.#flush(epoch, [], true);
  }

  async #seal(epoch: number, rows: readonly Observation[], last: boolean): Promise<void> {
    const seed = (this.#signing.random ?? systemRandom)(32);
    const chunk = { clock: this.#clock, seed, observations: rows };
    const largest = BATCH_CLASSES.at(-1) as number;
    if (rows.length > 1 && encodeBatch([chunk], epoch * this.#stream.epochLength).length > capacityOf(largest)) {
      const half = rows.length >> 1;
      await this.#seal(epoch, rows.slice(0, half), false);
      return this.#seal(epoch, rows.slice(half), last);
    }
    if (rows.length === 0) return this.#flush(epoch, [], last);
    const item = { stream: this.#stream.id, epoch, count: rows.length, root: chunkRoot(chunk) };
    const { key, firmware, state } = this.#signing;
    const before = { ...state };
    const statement = signStatement(key, firmware, state, [item]);
    try {
      await this.#flush(epoch, [{ ...chunk, statement, index: 0 }], last);
    } catch (error) {
      // A statement that nobody will see must leave no gap in the counter.
      Object.assign(state, before);
      throw error;
    }
  }
}
