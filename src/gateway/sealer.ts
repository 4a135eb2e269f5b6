import { concat, fromHex, utf8 } from "../bytes/bytes.ts";
import { hmac, sha256 } from "../bytes/hash.ts";
import { keyedRandom } from "../bytes/random.ts";
import { mailCapacity } from "../envelope/envelope.ts";
import { encodeLetter, sealLetter } from "../late/letter.ts";
import { packLate } from "../late/pack.ts";
import { covers } from "../keys/cover.ts";
import { chunkRoot, epochOf, type Chunk } from "../log/chunk.ts";
import { mailRow } from "../log/mail.ts";
import type { SignedChunk } from "../log/sealed-batch.ts";
import { signStatement, type SignerState } from "../log/signer.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import type { Observation } from "../observation/observation.ts";
import type { Journal } from "../state/journal.ts";
import type { Settled } from "./deps.ts";
import { TooLateError } from "./errors.ts";
import type { Admit, Cut, SeedOf } from "./ingest.ts";
import { nameOf, ownLink, retireEnded, writable, writeOf, type Writable } from "./leases.ts";
import { leaveFor, type LeasedStream } from "./leave.ts";
import { holesOf } from "./spans.ts";
import type { GatewayState } from "./state.ts";
import { prepareBatch } from "./writer.ts";

/** Epochs between two recordings: each takes a header and a batch, and a place in a checkpoint that is paid for. */
const LONGEST_PAUSE = 1440;
/** Idle epochs sealed in one turn, so that the end of a consent does not wait for long. */
const FILLED_AT_ONCE = 64;

/** What a session cut, and its number in the source when that can be given again. */
export interface SealedCut extends Cut {
  readonly name: string | undefined;
  readonly number: number;
}

/**
 * Signs and seals what the leases let the gateway write, into the journal; `Checkpoints` take it from there. What is asynchronous here
 * changes the state, so it is to be called in turn.
 */
export class Sealer {
  readonly #journal: Journal;
  readonly #state: GatewayState;
  readonly #deps: Settled;
  /** Generations retired, also by what sealed, that nobody was told of yet. */
  #retired = 0;

  constructor(journal: Journal, state: GatewayState, deps: Settled) {
    this.#journal = journal;
    this.#state = state;
    this.#deps = deps;
  }

  /** Moves to the spare generations if a watched consent has ended. */
  async retireEnded(): Promise<void> {
    const { watch, now: clock } = this.#deps;
    await watch.refresh();
    let retired = 0;
    await this.#journal.write(() => (retired = retireEnded(this.#state, watch, clock())));
    this.#retired += retired;
  }

  /** @returns how many generations were retired since this was asked last. */
  takeRetired(): number {
    const retired = this.#retired;
    this.#retired = 0;
    return retired;
  }

  /**
   * What may be written of a stream now, without asking chain or store.
   *
   * @param name - Of an import that may have been given before; undefined for what comes once.
   * @throws NoLeaseError; from the check: NoLeaseError, WrongChannelError, TooLateError.
   */
  admission(leased: LeasedStream, name: string | undefined): Admit {
    const { stream } = leased;
    const at = this.#writable(leased);
    const admit = leaveFor(stream, at).one;
    // Of an import that is given again the keys may be gone: what was sealed is passed over.
    if (name !== undefined && this.#state.imports.get(name) !== undefined) return admit;
    let [covered, last]: [number, string | undefined] = [-1, undefined];
    return (observation) => {
      admit(observation);
      if (observation.time === last) return;
      const epoch = epochOf(observation.time, stream.epochLength);
      if (epoch !== covered && !covers(at.keys.data ?? [], epoch)) throw new TooLateError();
      [covered, last] = [epoch, observation.time];
    };
  }

  /** The seeds of the chunks of an import: the same each time it is given. */
  seedsOf(name: string): SeedOf {
    return (number) => hmac(this.#deps.keys.secret, utf8(`medseal/v1/seed/${name}/${number}`));
  }

  /** Signs and seals one batch and writes it down, or does none of it. */
  async seal(leased: LeasedStream, cut: SealedCut): Promise<void> {
    const { stream } = leased;
    const { name, number, epoch, chunk, last } = cut;
    if (name && number < (this.#state.imports.get(name)?.done ?? 0)) return;
    const made = await chunk?.made;
    // Before every batch: nothing is sealed under a generation whose reader has been revoked.
    await this.retireEnded();
    const at = this.#writable(leased);
    if (chunk) leaveFor(stream, at).all(chunk.facts);
    if (!covers(at.keys.data ?? [], epoch)) throw new TooLateError();
    const signer = { ...this.#state.position.signer };
    const root = made && "root" in made ? made.root : undefined;
    const chunks = chunk ? [this.#sign(stream, epoch, { ...chunk, root: root ?? chunkRoot(chunk) }, signer)] : [];
    const batch = { epoch, chunks, last, encoded: made?.encoded };
    const { sealed, epoch: inEpoch, commit } = prepareBatch(this.#state, at, this.#deps.place, batch);
    await this.#journal.write(() => {
      commit();
      this.#state.move({ signer });
      this.#state.keepBatch(sealed, inEpoch);
      if (name) this.#state.imports.set(name, { done: number + 1, finished: false });
    });
  }

  /**
   * Gives some epochs between those that were written, of which no source had anything, an empty header each: without it a cut would look
   * like silence. Where the keys are forgotten, and in a pause of more than `LONGEST_PAUSE`, they stay without.
   *
   * @param before - Epochs from here on may be written yet.
   * @returns to how many, 0 when none is left. @throws NoLeaseError.
   */
  async fillIdle(leased: LeasedStream, before: number): Promise<number> {
    if (this.#idle(this.#writable(leased), before).length === 0) return 0;
    await this.retireEnded();
    const at = this.#writable(leased);
    const idle = this.#idle(at, before).slice(0, FILLED_AT_ONCE);
    await this.#journal.write(() => {
      for (const epoch of idle) {
        const batch = { epoch, chunks: [], last: true, encoded: undefined };
        const { sealed, epoch: inEpoch, commit } = prepareBatch(this.#state, at, this.#deps.place, batch);
        commit();
        this.#state.keepBatch(sealed, inEpoch);
      }
    });
    return idle.length;
  }

  /** Seals readings whose keys are forgotten to the patient, as mail. @throws Refusal. */
  async sealLate(leased: LeasedStream, name: string, observations: readonly Observation[]): Promise<void> {
    const { write, stream } = leased;
    const { late, keys, registry, firmware } = this.#deps;
    await this.retireEnded();
    const at = this.#writable(leased);
    observations.forEach(leaveFor(stream, at).one);
    const to = late?.recipientOf(at.lease);
    if (!late || !to) throw new TooLateError();
    const { consent } = ownLink(at.lease);
    const letters = packLate(stream, { kind: "source" }, observations, this.seedsOf(name), mailCapacity(to.kem));
    for (const [number, packed] of letters.entries()) {
      if (number < (this.#state.imports.get(name)?.done ?? 0)) continue;
      const signer = { ...this.#state.position.signer };
      const items = packed.map(({ epoch, chunk }) => ({
        stream: stream.id,
        epoch,
        count: chunk.observations.length,
        root: chunkRoot(chunk),
      }));
      const statement = signStatement(keys.signing, firmware, signer, items);
      const letter = { write: fromHex(write), stream: stream.id, statement, chunks: packed };
      // The same letter is sealed to the same bytes, however often that is tried.
      const rand = keyedRandom(keys.secret, concat(utf8("medseal/v1/late"), sha256(encodeLetter(letter))));
      const envelope = await sealLetter(letter, consent, late.signer, to, registry, rand);
      const row = mailRow(sha256(envelope), to.viewKey, rand);
      await this.#journal.write(() => {
        this.#state.move({ signer });
        this.#state.keepMail(row, envelope);
        this.#state.imports.set(name, { done: number + 1, finished: true });
      });
    }
  }

  #idle({ keys, lease }: Writable, before: number): number[] {
    const { spans = [] } = this.#state.writers.get(nameOf(writeOf(lease), keys)) ?? {};
    return holesOf(spans)
      .filter(([from, to]) => to - from <= LONGEST_PAUSE)
      .flatMap(([from, to]) => Array.from({ length: Math.max(0, Math.min(to, before) - from) }, (_, i) => from + i))
      .filter((epoch) => covers(keys.data ?? [], epoch));
  }

  #writable({ write, stream }: LeasedStream): Writable {
    return writable(this.#state, write, stream.id, this.#deps.watch, this.#deps.now());
  }

  #sign(
    stream: StreamDescriptor,
    epoch: number,
    chunk: Chunk & { readonly root: Uint8Array },
    signer: SignerState,
  ): SignedChunk {
    const item = { stream: stream.id, epoch, count: chunk.observations.length, root: chunk.root };
    const statement = signStatement(this.#deps.keys.signing, this.#deps.firmware, signer, [item]);
    return { ...chunk, statement, index: 0 };
  }
}
