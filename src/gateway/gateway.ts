import { equal, hex, hex0x } from "../bytes/bytes.ts";
import { now, random } from "../bytes/random.ts";
import { sha256 } from "../bytes/hash.ts";
import type { Consent, Hex } from "../consent/consent.ts";
import { NOBODY } from "../disclosure/receipt.ts";
import { ENVELOPE_CLASS, openEnvelope } from "../envelope/envelope.ts";
import type { Release } from "../envelope/payload.ts";
import { UsageError } from "../errors.ts";
import type { MailRow } from "../log/checkpoint.ts";
import { mailRow } from "../log/mail.ts";
import type { SealedBatch } from "../log/sealed-batch.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import { Journal } from "../state/journal.ts";
import { JournalFailedError } from "../state/rows.ts";
import { oneByOne } from "../state/turns.ts";
import { Checkpoints, type Anchored, type Whereabouts } from "./checkpoints.ts";
import type { GatewayDeps, Settled } from "./deps.ts";
import { forgetOld, LATENESS_BOUND } from "./forget.ts";
import { StreamIngest, type Admit, type Cut, type Flush, type SeedOf } from "./ingest.ts";
import { checkLease, isInForce, keepLease, ownLink } from "./leases.ts";
import { isRefusal, type LeasedStream, type Refusal } from "./leave.ts";
import { Sealer } from "./sealer.ts";
import { GatewayState } from "./state.ts";
import { ChunkThreads } from "./threads.ts";

/** What is taken of a source. */
export interface IngestOptions {
  readonly clock: Clock;
  /** SHA-256 of the source and of how it is read: an import that was cut off goes on where it stood when it is given again from its start. */
  readonly source?: Uint8Array;
  /** Epochs from here on somebody else may write yet: at the end those before it that are idle between others get empty headers. */
  readonly idleBefore?: number;
}

/** The gateway: seals, stores and anchors what its leases let it write. */
export class Gateway {
  readonly #deps: Settled;
  readonly #journal: Journal;
  readonly #state: GatewayState;
  readonly #sealer: Sealer;
  readonly #checkpoints: Checkpoints;
  readonly #sessions = new Map<StreamIngest, LeasedStream>();
  readonly #threads: ChunkThreads | undefined;
  /** Changes of the state, and checkpoints: a transaction may wait long for a block, and nothing else waits for it. */
  readonly #inTurn = oneByOne();
  readonly #inLine = oneByOne();

  /** Takes up where the journal ends. Nothing is asked of chain or store. @throws JournalBusyError, JournalFailedError. */
  constructor(deps: GatewayDeps) {
    this.#deps = { firmware: 0, latenessBound: LATENESS_BOUND, random, now, ...deps };
    const { rows, keys, entries = 64 } = deps;
    this.#journal = new Journal(rows, keys.secret);
    this.#state = new GatewayState(this.#journal);
    this.#sealer = new Sealer(this.#journal, this.#state, this.#deps);
    this.#threads = deps.threads ? new ChunkThreads(deps.threads) : undefined;
    const { secret, hpke } = keys;
    const capacity = typeof entries === "number" ? () => entries : entries;
    this.#checkpoints = new Checkpoints(this.#journal, this.#state, this.#inTurn, {
      ...deps,
      capacity,
      secret,
      kem: hpke.kem,
    });
  }

  /**
   * Opens a lease, checks it and keeps it. Once this resolves the gateway heeds the ends that the lease names: hand `receiptOf` the lease
   * back to the patient.
   *
   * @param admit - Refuses, by throwing, a lease of somebody whom the gateway does not work for.
   * @throws NoLeaseError; ReleaseForgedError; the HPKE layer's error when it is for somebody else.
   */
  acceptLease(envelope: Uint8Array, admit: (lease: Release) => void = () => undefined): Promise<Release> {
    return this.#inTurn(async () => {
      const { address: gateway, keys, registry, watch, ask } = this.#deps;
      const lease = await openEnvelope(envelope, keys.hpke, registry);
      admit(lease);
      await watch.refresh();
      await checkLease(lease, { gateway, watch, ask, time: this.#deps.now() });
      await this.#journal.write(() => keepLease(this.#state, lease));
      return lease;
    });
  }

  /** Keeps an envelope for the mail of the next checkpoint that has room. @throws as `carry`. */
  post(envelope: Uint8Array, viewKey: Uint8Array): Promise<void> {
    return this.carry(envelope, mailRow(sha256(envelope), viewKey, this.#deps.random));
  }

  /**
   * The same with a row that somebody else made, so that the gateway does not learn whose view key it is for.
   *
   * @throws UsageError for an envelope of another size than all mail, or of another row.
   */
  async carry(envelope: Uint8Array, row: MailRow): Promise<void> {
    if (envelope.length !== ENVELOPE_CLASS)
      throw new UsageError(`an envelope that goes by mail has ${ENVELOPE_CLASS} bytes`, {
        hint: "hand over a larger one as a file",
      });
    if (!equal(sha256(envelope), row.envelope)) throw new UsageError("the mail row is for another envelope");
    await this.#deps.receipts?.write({ act: "carried", ...NOBODY, envelopes: [hex0x(row.envelope)], reason: "" });
    await this.#change(() => this.#state.keepMail(row, envelope));
  }

  /** Lists digests of blocks as erased in the next checkpoint. */
  erase(digests: readonly Uint8Array[]): Promise<void> {
    return this.#change(() => digests.forEach((digest) => this.#state.erased.set(hex(digest), true)));
  }

  /** The streams that its leases in force cover, with the lease of each. */
  streams(): (LeasedStream & { readonly lease: Release })[] {
    const { watch, now: clock } = this.#deps;
    return this.#state.leases.entries().flatMap(([write, lease]) => {
      if (!isInForce(lease, watch, clock())) return [];
      const streams = lease.keys.map(({ stream }) => stream);
      const once = streams.filter(({ id }, i) => streams.findIndex((other) => equal(other.id, id)) === i);
      return once.map((stream) => ({ write: write as Hex, stream, lease }));
    });
  }

  /** The consent under which a lease is kept. */
  leave(write: Hex): Consent | undefined {
    const lease = this.#state.leases.get(write);
    return lease && ownLink(lease).consent;
  }

  /**
   * Takes the observations of one stream from an unsigned source. A reading that was added is sealed, and lost no more, once `finish`
   * resolves.
   *
   * @throws from `add`, for a reading that is then not taken: NoLeaseError without a lease or outside its data window, WrongChannelError,
   * TooLateError, TooLargeError.
   */
  ingest({ write, stream }: LeasedStream, { clock, source, idleBefore = Infinity }: IngestOptions): StreamIngest {
    const name = source && sourceName(hex(source), { write, stream });
    const admission = (): Admit => this.#sealer.admission({ write, stream }, name);
    const flush: Flush = (number, cut) =>
      this.#inTurn(() => this.#sealer.seal({ write, stream }, { name, number, ...cut }));
    const seedOf: SeedOf = name ? this.#sealer.seedsOf(name) : () => this.#deps.random(32);
    const finishing = async (): Promise<number> => {
      await this.#finished(name);
      return this.#fillIdle({ write, stream }, idleBefore, session);
    };
    const session: StreamIngest = new StreamIngest(stream, clock, admission, flush, seedOf, finishing, this.#threads);
    this.#sessions.set(session, { write, stream });
    return session;
  }

  /**
   * What may be written of a stream now, without asking chain or store. The check throws as `ingest` does.
   *
   * @throws NoLeaseError.
   */
  admission(leased: LeasedStream): Admit {
    return this.#sealer.admission(leased, undefined);
  }

  /**
   * Seals what somebody else cut of a stream and kept: given again after a crash under the same name, it goes on where it stood.
   *
   * @param source - Names it and its cuts for good; see `forgetSources`.
   * @param cutsOf - The cuts, for the seeds of their chunks by their number; threads may make them.
   * @returns how many of the cuts are sealed: less than all when `error` says why the rest may not be written.
   */
  async sealCuts(
    leased: LeasedStream,
    source: string,
    cutsOf: (seedOf: SeedOf, threads: ChunkThreads | undefined) => readonly Cut[] | Promise<readonly Cut[]>,
  ): Promise<{ readonly sealed: number; readonly error?: Refusal }> {
    const name = sourceName(source, leased);
    for (const [number, cut] of (await cutsOf(this.#sealer.seedsOf(name), this.#threads)).entries()) {
      try {
        await this.#inTurn(() => this.#sealer.seal(leased, { name, number, ...cut }));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await this.#finished(name);
        return { sealed: number, error };
      }
    }
    await this.#finished(name);
    return { sealed: Infinity };
  }

  /**
   * Gives epochs between those that were written an empty header each, unless an import of the stream is open, which may write them yet.
   *
   * @param before - Epochs from here on may be written yet. @returns to how many.
   */
  fillIdle(leased: LeasedStream, before: number): Promise<number> {
    return this.#fillIdle(leased, before, undefined);
  }

  /** Whether readings of a stream that are too late go to its patient. */
  takesLate({ write }: LeasedStream): boolean {
    const lease = this.#state.leases.get(write);
    return lease !== undefined && this.#deps.late?.recipientOf(lease) !== undefined;
  }

  /**
   * Signs readings whose keys are forgotten, seals them to the patient and keeps them for the mail; given again under the same name it goes
   * on where it stood.
   *
   * @returns undefined, or why they may not be written at all.
   */
  async sealLate(
    leased: LeasedStream,
    source: string,
    observations: readonly Observation[],
  ): Promise<Refusal | undefined> {
    const name = sourceName(`${source}/late`, leased);
    try {
      await this.#inTurn(() => this.#sealer.sealLate(leased, name, observations));
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return error;
    }
  }

  /** Keeps batches that a patient sealed into their epochs for the next checkpoint. Those it has had before it passes over. @returns how many are new. */
  async carryFiled(batches: readonly SealedBatch[]): Promise<number> {
    let fresh = 0;
    await this.#change(() => {
      const { filed } = this.#state;
      for (const sealed of batches) {
        const tag = hex(sealed.entry.tag);
        if (filed.get(tag)) continue;
        fresh += 1;
        filed.set(tag, true);
        this.#state.keepBatch(sealed, "");
      }
    });
    return fresh;
  }

  /** Forgets how far sources got that `sealCuts` is not given again. */
  forgetSources(over: (source: string) => boolean): Promise<void> {
    const { imports } = this.#state;
    const gone = imports.entries().filter(([name]) => over(name.slice(0, name.indexOf("/"))));
    return gone.length === 0 ? Promise.resolve() : this.#change(() => gone.forEach(([name]) => imports.delete(name)));
  }

  /** Where what was sealed is by now. Asks nobody. */
  get whereabouts(): Whereabouts {
    return this.#checkpoints.whereabouts;
  }

  /** Takes in which checkpoints became final. */
  settle(): Promise<void> {
    return this.#inLine(() => this.#checkpoints.settle());
  }

  /** Moves to the spare generations if a watched consent has ended. @returns how many were retired since this was asked last. */
  retireEnded(): Promise<number> {
    return this.#inTurn(async () => {
      await this.#sealer.retireEnded();
      return this.#sealer.takeRetired();
    });
  }

  /**
   * Stores and anchors a checkpoint of what waits, all padding when nothing does; to be called once a cadence. One that an outage or a
   * reorganisation left behind comes first. While its transaction waits for a block, sealing and the heeding of ends go on.
   */
  checkpoint(): Promise<Anchored[]> {
    return this.#inLine(async () => {
      try {
        await this.#checkpoints.settle();
        await this.#inTurn(() => this.#forget());
        const behind = await this.#checkpoints.anchorDecided();
        if (behind.length > 0 && !this.#checkpoints.waiting) return behind;
        await this.#checkpoints.decide();
        return [...behind, ...(await this.#checkpoints.anchorDecided())];
      } finally {
        await this.#inTurn(() => Promise.resolve().then(() => this.#settleRows()));
      }
    });
  }

  /** Checkpoints until nothing waits. Several in a row show that much was waiting: for imports, not for a gateway at its cadence. */
  async drain(): Promise<Anchored[]> {
    const anchored = await this.checkpoint();
    while (this.#checkpoints.waiting) anchored.push(...(await this.checkpoint()));
    return anchored;
  }

  /** Closes the journal, so that another process can take over. */
  close(): Promise<void> {
    return this.#inLine(() =>
      this.#inTurn(async () => {
        await this.#threads?.close();
        this.#journal.close();
      }),
    );
  }

  /** Forgotten keys leave the journal's log. */
  #settleRows(): void {
    try {
      this.#deps.rows.settle?.();
    } catch (error) {
      // Without room they leave it after the next checkpoint.
      if (!(error instanceof JournalFailedError && error.full)) throw error;
    }
  }

  async #fillIdle({ write, stream }: LeasedStream, before: number, own: StreamIngest | undefined): Promise<number> {
    for (const [session, at] of this.#sessions)
      if (session !== own && !session.finished && at.write === write && equal(at.stream.id, stream.id)) return 0;
    let filled = 0;
    try {
      const some = (): Promise<number> => this.#inTurn(() => this.#sealer.fillIdle({ write, stream }, before));
      for (let more = await some(); more > 0; more = await some()) filled += more;
    } catch (error) {
      // Without leave to write nothing says that they were idle.
      if (!isRefusal(error)) throw error;
    }
    return filled;
  }

  async #forget(): Promise<void> {
    const oldestOpen = (write: Hex, stream: Uint8Array): number => {
      const mine = [...this.#sessions].filter(([, at]) => at.write === write && equal(at.stream.id, stream));
      // An import that was cut off may come again from its start.
      const cutOff = this.#state.imports
        .entries()
        .some(([name, { finished }]) => !finished && name.endsWith(`/${write}/${hex0x(stream)}`));
      const waiting = this.#deps.oldestWaiting?.(write, stream) ?? Infinity;
      return cutOff ? 0 : Math.min(waiting, ...mine.map(([session]) => session.oldestOpen));
    };
    await this.#journal.write(() => forgetOld(this.#state, this.#deps.now(), this.#deps.latenessBound, oldestOpen));
    for (const [session] of this.#sessions) if (session.finished) this.#sessions.delete(session);
  }

  /** Once an import is through, its keys need not be kept for it any longer. */
  async #finished(name: string | undefined): Promise<void> {
    const { imports } = this.#state;
    const state = name === undefined ? undefined : imports.get(name);
    if (name !== undefined && state) await this.#change(() => imports.set(name, { ...state, finished: true }));
  }

  #change(work: () => void): Promise<void> {
    return this.#inTurn(() => this.#journal.write(work));
  }
}

const sourceName = (source: string, { write, stream }: LeasedStream): string =>
  `${source}/${write}/${hex0x(stream.id)}`;
