import { concat, equal, fromHex, hex, hex0x, utf8 } from "../bytes/bytes.ts";
import { keyedRandom, now, random, type Now, type Random } from "../bytes/random.ts";
import { hmac, sha256 } from "../bytes/hash.ts";
import type { AskPermission } from "../chain/permission.ts";
import type { Consent, Hex } from "../consent/consent.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { ReceiptBook } from "../disclosure/book.ts";
import { NOBODY } from "../disclosure/receipt.ts";
import { ENVELOPE_CLASS, mailCapacity, openEnvelope, type Recipient } from "../envelope/envelope.ts";
import type { Release } from "../envelope/payload.ts";
import { UsageError } from "../errors.ts";
import type { BlockStore } from "../ipfs/store.ts";
import { encodeLetter, sealLetter } from "../late/letter.ts";
import { packLate } from "../late/pack.ts";
import { covers } from "../keys/cover.ts";
import type { SigningKeyPair } from "../keys/signature.ts";
import type { CheckpointPlace, MailRow } from "../log/checkpoint.ts";
import { chunkRoot, epochOf, type Chunk, type ChunkFacts } from "../log/chunk.ts";
import { mailRow } from "../log/mail.ts";
import type { SealedBatch, SignedChunk } from "../log/sealed-batch.ts";
import { signStatement, type SignerState } from "../log/signer.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { parseInstant } from "../observation/instant.ts";
import { channelKey, type Channel, type Clock, type Observation } from "../observation/observation.ts";
import type { HpkeKeyPair } from "../seal/hpke.ts";
import { Journal } from "../state/journal.ts";
import { JournalFailedError, type Rows } from "../state/rows.ts";
import { oneByOne } from "../state/turns.ts";
import type { Anchor } from "./anchor.ts";
import { Checkpoints, type Anchored, type Whereabouts } from "./checkpoints.ts";
import { NoLeaseError, TooLateError, WrongChannelError } from "./errors.ts";
import { forgetOld, LATENESS_BOUND, type OldestOpen } from "./forget.ts";
import { StreamIngest, type Admit, type Cut, type Flush, type SeedOf } from "./ingest.ts";
import { checkLease, isInForce, keepLease, ownLink, retireEnded, writable, type Writable } from "./leases.ts";
import { GatewayState } from "./state.ts";
import { ChunkThreads } from "./threads.ts";
import { prepareBatch } from "./writer.ts";

export interface GatewayDeps {
  readonly address: Hex;
  readonly place: CheckpointPlace;
  readonly registry: RegistryAddress;
  readonly blocks: BlockStore;
  readonly anchor: Anchor;
  readonly watch: ConsentWatch;
  /** The registry's own answer, see `PermissionJudge`. */
  readonly ask: AskPermission;
  /** Where the journal lies; see `sqliteRows`. */
  readonly rows: Rows;
  readonly keys: GatewayKeys;
  /** Entries of every checkpoint, raised on a schedule; a function is asked at each. */
  readonly entries?: number | (() => number);
  /** What was acknowledged elsewhere and comes to be sealed yet, see `Feed`: keys that it needs are not forgotten. */
  readonly oldestWaiting?: OldestOpen;
  /** The access ledger; without one no receipts are kept. */
  readonly receipts?: ReceiptBook;
  /** The late box; without one, readings whose keys are forgotten are refused. */
  readonly late?: LateBox;
  readonly firmware?: number;
  /** Worker threads that hash and compress; none by default. What is sealed is the same. */
  readonly threads?: number;
  /** Seconds; see `LATENESS_BOUND`. */
  readonly latenessBound?: number;
  readonly random?: Random;
  readonly now?: Now;
}

/** How readings whose keys are forgotten get to the patient. */
export interface LateBox {
  /** With the gateway's own address. */
  readonly signer: TypedSigner;
  /** The patient whose lease it is, as the gateway knows them; undefined for a stranger. */
  readonly recipientOf: (lease: Release) => Recipient | undefined;
}

export interface GatewayKeys {
  readonly hpke: HpkeKeyPair;
  /** Signs the chunks of unsigned sources. */
  readonly signing: SigningKeyPair;
  /** 32 bytes, kept outside the journal, which is sealed under it; padding and the salts of imports follow from it too. */
  readonly secret: Uint8Array;
}

/** A stream that a lease lets the gateway write, and the WRITE consent it does so under. */
export interface LeasedStream {
  readonly write: Hex;
  readonly stream: StreamDescriptor;
}

/** What is taken of a source. */
export interface IngestOptions {
  readonly clock: Clock;
  /** SHA-256 of the source and of how it is read: an import that was cut off goes on where it stood when it is given again from its start. */
  readonly source?: Uint8Array;
}

/** The gateway: seals, stores and anchors what its leases let it write. */
export class Gateway {
  readonly #deps: GatewayDeps & { firmware: number; latenessBound: number; random: Random; now: Now };
  readonly #journal: Journal;
  readonly #state: GatewayState;
  readonly #checkpoints: Checkpoints;
  readonly #sessions = new Map<StreamIngest, LeasedStream>();
  readonly #threads: ChunkThreads | undefined;
  /** Generations retired, also by what sealed, that nobody was told of yet. */
  #retired = 0;
  /** Changes of the state, and checkpoints: a transaction may wait long for a block, and nothing else waits for it. */
  readonly #inTurn = oneByOne();
  readonly #inLine = oneByOne();

  /** Takes up where the journal ends. Nothing is asked of chain or store. @throws JournalBusyError, JournalFailedError. */
  constructor(deps: GatewayDeps) {
    this.#deps = { firmware: 0, latenessBound: LATENESS_BOUND, random, now, ...deps };
    const { rows, keys, entries = 64 } = deps;
    this.#journal = new Journal(rows, keys.secret);
    this.#state = new GatewayState(this.#journal);
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
    await this.#change(() => {
      this.#state.blocks.set(hex(row.envelope), envelope);
      this.#state.mail.set(this.#state.arrival(), row);
    });
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
  ingest({ write, stream }: LeasedStream, { clock, source }: IngestOptions): StreamIngest {
    const name = source && sourceName(hex(source), { write, stream });
    const admission = (): Admit => this.#admission({ write, stream }, name);
    const flush: Flush = (number, cut) => this.#inTurn(() => this.#seal({ write, stream }, { name, number, ...cut }));
    const seedOf: SeedOf = name ? this.#seedsOf(name) : () => this.#deps.random(32);
    const finishing = (): Promise<void> => this.#finished(name);
    const session = new StreamIngest(stream, clock, admission, flush, seedOf, finishing, this.#threads);
    this.#sessions.set(session, { write, stream });
    return session;
  }

  /**
   * What may be written of a stream now, without asking chain or store. The check throws as `ingest` does.
   *
   * @throws NoLeaseError.
   */
  admission(leased: LeasedStream): Admit {
    return this.#admission(leased, undefined);
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
    for (const [number, cut] of (await cutsOf(this.#seedsOf(name), this.#threads)).entries()) {
      try {
        await this.#inTurn(() => this.#seal(leased, { name, number, ...cut }));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await this.#finished(name);
        return { sealed: number, error };
      }
    }
    await this.#finished(name);
    return { sealed: Infinity };
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
      await this.#inTurn(() => this.#sealLate(leased, name, observations));
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
      const { filed, blocks, pending } = this.#state;
      for (const { entry, header, batch } of batches) {
        if (filed.get(hex(entry.tag))) continue;
        fresh += 1;
        filed.set(hex(entry.tag), true);
        blocks.set(hex(entry.header), header);
        blocks.set(hex(entry.batch), batch);
        pending.set(this.#state.arrival(), { ...entry, size: batch.length, epoch: "" });
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
      await this.#retireEnded();
      const retired = this.#retired;
      this.#retired = 0;
      return retired;
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

  #admission({ write, stream }: LeasedStream, name: string | undefined): Admit {
    const at = this.#writable(write, stream);
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

  #seedsOf(name: string): SeedOf {
    return (number) => hmac(this.#deps.keys.secret, utf8(`medseal/v1/seed/${name}/${number}`));
  }

  async #retireEnded(): Promise<void> {
    const { watch, now: clock } = this.#deps;
    await watch.refresh();
    let retired = 0;
    await this.#journal.write(() => (retired = retireEnded(this.#state, watch, clock())));
    this.#retired += retired;
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

  #writable(write: Hex, { id }: StreamDescriptor): Writable {
    return writable(this.#state, write, id, this.#deps.watch, this.#deps.now());
  }

  /** Signs and seals one batch and writes it down, or does none of it. */
  async #seal({ write, stream }: LeasedStream, cut: SealedCut): Promise<void> {
    const { name, number, epoch, chunk, last } = cut;
    if (name && number < (this.#state.imports.get(name)?.done ?? 0)) return;
    const made = await chunk?.made;
    // Before every batch: nothing is sealed under a generation whose reader has been revoked.
    await this.#retireEnded();
    const at = this.#writable(write, stream);
    if (chunk) leaveFor(stream, at).all(chunk.facts);
    if (!covers(at.keys.data ?? [], epoch)) throw new TooLateError();
    const signer = { ...this.#state.position.signer };
    const root = made && "root" in made ? made.root : undefined;
    const chunks = chunk ? [this.#sign(stream, epoch, { ...chunk, root: root ?? chunkRoot(chunk) }, signer)] : [];
    const batch = { epoch, chunks, last, encoded: made?.encoded };
    const { sealed, epoch: inEpoch, commit } = prepareBatch(this.#state, at, this.#deps.place, batch);
    await this.#journal.write(() => {
      const { blocks, pending, imports } = this.#state;
      commit();
      this.#state.move({ signer });
      blocks.set(hex(sealed.entry.header), sealed.header);
      blocks.set(hex(sealed.entry.batch), sealed.batch);
      pending.set(this.#state.arrival(), { ...sealed.entry, size: sealed.batch.length, epoch: inEpoch });
      if (name) imports.set(name, { done: number + 1, finished: false });
    });
  }

  async #sealLate({ write, stream }: LeasedStream, name: string, observations: readonly Observation[]): Promise<void> {
    const { late, keys, registry, firmware } = this.#deps;
    await this.#retireEnded();
    const at = this.#writable(write, stream);
    observations.forEach(leaveFor(stream, at).one);
    const to = late?.recipientOf(at.lease);
    if (!late || !to) throw new TooLateError();
    const { consent } = ownLink(at.lease);
    const letters = packLate(stream, { kind: "source" }, observations, this.#seedsOf(name), mailCapacity(to.kem));
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
        this.#state.blocks.set(hex(row.envelope), envelope);
        this.#state.mail.set(this.#state.arrival(), row);
        this.#state.imports.set(name, { done: number + 1, finished: true });
      });
    }
  }

  /** Once an import is through, its keys need not be kept for it any longer. */
  async #finished(name: string | undefined): Promise<void> {
    const { imports } = this.#state;
    const state = name === undefined ? undefined : imports.get(name);
    if (name !== undefined && state) await this.#change(() => imports.set(name, { ...state, finished: true }));
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

  #change(work: () => void): Promise<void> {
    return this.#inTurn(() => this.#journal.write(work));
  }
}

/** What is written neither now nor later under the leases at hand. */
export type Refusal = NoLeaseError | TooLateError | WrongChannelError;

export const isRefusal = (error: unknown): error is Refusal =>
  error instanceof NoLeaseError || error instanceof TooLateError || error instanceof WrongChannelError;

const sourceName = (source: string, { write, stream }: LeasedStream): string =>
  `${source}/${write}/${hex0x(stream.id)}`;

/** What a lease lets be written of a stream. @throws from both checks: NoLeaseError, WrongChannelError. */
function leaveFor(stream: StreamDescriptor, { lease }: Writable): { one: Admit; all: (facts: ChunkFacts) => void } {
  const channels = new Set(stream.channels.map(channelKey));
  const { dataStart, dataEnd } = ownLink(lease).consent;
  const checkChannel = (channel: Channel): void => {
    if (!channels.has(channelKey(channel))) throw new WrongChannelError();
  };
  const checkTime = (seconds: number): void => {
    if (seconds >= dataStart && seconds < dataEnd) return;
    throw new NoLeaseError("a reading lies outside the data window of the leave to write", {
      hint: "ask the patient for an import consent over the recording's time",
    });
  };
  // The same few channels come again and again, and the values of one row have one time.
  const admitted = new Set<Channel>();
  let last: string | undefined;
  return {
    one({ channel, time }) {
      if (!admitted.has(channel)) {
        checkChannel(channel);
        admitted.add(channel);
      }
      if (time === last) return;
      checkTime(parseInstant(time)?.seconds ?? -1);
      last = time;
    },
    all(facts) {
      facts.channels.forEach(checkChannel);
      checkTime(facts.earliest);
      checkTime(facts.latest);
    },
  };
}

/** What a session cut, and its number in the source when that can be given again. */
interface SealedCut extends Cut {
  readonly name: string | undefined;
  readonly number: number;
}
