import { equal } from "../bytes/bytes.ts";
import { now, random, type Now, type Random } from "../bytes/random.ts";
import { sha256 } from "../bytes/hash.ts";
import { headAfter, type CheckpointAnchor } from "../chain/anchor.ts";
import type { Hex } from "../consent/consent.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { openEnvelope } from "../envelope/envelope.ts";
import type { Link } from "../consent/scope.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import type { Release } from "../envelope/payload.ts";
import type { BlockStore } from "../ipfs/store.ts";
import type { SigningKeyPair } from "../keys/signature.ts";
import { checkpointRoot, encodeCheckpoint, type CheckpointPlace, type Entry } from "../log/checkpoint.ts";
import { MAIL_ROWS, mailRow } from "../log/mail.ts";
import { chunkRoot, type Chunk } from "../log/chunk.ts";
import type { SignedChunk } from "../log/sealed-batch.ts";
import { signStatement, type SignerState } from "../log/signer.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { parseInstant } from "../observation/instant.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import type { HpkeKeyPair } from "../seal/hpke.ts";
import { ForkedError, NoLeaseError } from "./errors.ts";
import { StreamIngest, type Flush } from "./ingest.ts";
import { acceptLease, retireEnded, writable, type Writable } from "./leases.ts";
import { inOrder, padCheckpoint, rowsInOrder } from "./padding.ts";
import { freshGateway, type GatewayState, type PreparedCheckpoint } from "./state.ts";
import type { StateStore } from "../state/store.ts";
import { prepareBatch } from "./writer.ts";

/** RecordAnchor as the gateway uses it. */
export interface Anchor {
  /** The gateway's rolling head, zeros at first. */
  head(): Promise<Uint8Array>;
  /** Anchors and waits; undefined when an earlier try had got through. The transaction fails unless the chain's head is `expectedHead`. */
  anchor(checkpoint: CheckpointAnchor, expectedHead: Uint8Array): Promise<Receipt | undefined>;
}

export interface Receipt {
  readonly transaction: Hex;
  readonly gasUsed: bigint;
}

export interface GatewayDeps {
  readonly address: Hex;
  readonly place: CheckpointPlace;
  readonly registry: RegistryAddress;
  readonly blocks: BlockStore;
  readonly anchor: Anchor;
  readonly watch: ConsentWatch;
  readonly store: StateStore<GatewayState>;
  readonly keys: GatewayKeys;
  /** Entries of every checkpoint, a power of two, raised on a schedule. */
  readonly entries?: number;
  readonly firmware?: number;
  readonly random?: Random;
  readonly now?: Now;
}

export interface GatewayKeys {
  readonly hpke: HpkeKeyPair;
  /** Signs the chunks of unsigned sources. */
  readonly signing: SigningKeyPair;
  /** 32 bytes; padding blocks follow from it. */
  readonly padding: Uint8Array;
}

/** A checkpoint that was anchored. */
export interface Anchored extends CheckpointAnchor {
  /** Undefined when an earlier try had got through. */
  readonly receipt: Receipt | undefined;
  readonly pinset: string;
  /** Its entries that are not padding. Only the gateway can tell. */
  readonly own: readonly Entry[];
}

/** The gateway: seals, stores and anchors what its leases let it write. */
export class Gateway {
  readonly #deps: GatewayDeps & { entries: number; firmware: number; random: Random; now: Now };
  #state: GatewayState;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(deps: GatewayDeps, state: GatewayState) {
    this.#deps = { entries: 64, firmware: 0, random, now, ...deps };
    this.#state = state;
  }

  /** Takes up where the stored state ends, finishing a checkpoint whose anchoring was interrupted. */
  static async open(deps: GatewayDeps): Promise<Gateway> {
    const gateway = new Gateway(deps, (await deps.store.load()) ?? freshGateway());
    if (gateway.#state.prepared) await gateway.#anchorPrepared(gateway.#state.prepared);
    return gateway;
  }

  /** Opens a lease and keeps it. @throws NoLeaseError; the HPKE layer's error when it is for somebody else. */
  acceptLease(envelope: Uint8Array): Promise<Release> {
    return this.#inTurn(async () => {
      const lease = await openEnvelope(envelope, this.#deps.keys.hpke, this.#deps.registry);
      await this.#deps.watch.refresh();
      acceptLease(this.#state, lease, this.#deps.address, this.#deps.watch);
      await this.#deps.store.save(this.#state);
      return lease;
    });
  }

  /** Stores an envelope and puts it into the mail of the next checkpoint. */
  post(envelope: Uint8Array, viewKey: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const digest = await this.#deps.blocks.put(envelope);
      this.#state.mail.push(mailRow(digest, viewKey, this.#deps.random));
      await this.#saveOr(() => this.#state.mail.pop());
    });
  }

  /**
   * Takes the observations of one stream from an unsigned source.
   *
   * @throws NoLeaseError without a lease; and from `add` for a reading outside the data window of the leave to write, which is then not taken.
   */
  ingest(stream: StreamDescriptor, clock: Clock): StreamIngest {
    const admit = (observation: Observation): void => insideLease(observation, this.#writable(stream).write);
    const seal: Flush = (epoch, chunk, last) => this.#inTurn(() => this.#seal(stream, epoch, chunk, last));
    return new StreamIngest(stream, clock, admit, seal, this.#deps.random);
  }

  /** The streams that its leases cover, each once. */
  streams(): StreamDescriptor[] {
    const all = Object.values(this.#state.leases).flatMap(({ keys }) => keys.map(({ stream }) => stream));
    return all.filter(({ id }, i) => all.findIndex((other) => equal(other.id, id)) === i);
  }

  /** Moves to the spare generations if a watched consent has ended. @returns how many generations were retired. */
  retireEnded(): Promise<number> {
    return this.#inTurn(() => this.#retireEnded());
  }

  async #retireEnded(): Promise<number> {
    await this.#deps.watch.refresh();
    const retired = retireEnded(this.#state, this.#deps.watch);
    if (retired.length > 0) await this.#deps.store.save(this.#state);
    return retired.length;
  }

  /** Stores and anchors what waits, as many checkpoints as it takes; with nothing waiting, one that is all padding. */
  checkpoint(): Promise<Anchored[]> {
    return this.#inTurn(async () => {
      const anchored: Anchored[] = [];
      // One that was interrupted comes first, and as it was: its transaction may be on its way.
      do anchored.push(await this.#anchorPrepared(this.#state.prepared ?? (await this.#prepare())));
      while (this.#state.pending.length > 0 || this.#state.mail.length > 0);
      return anchored;
    });
  }

  /** Signs, seals, stores and notes one batch, or none of it. */
  async #seal(stream: StreamDescriptor, epoch: number, chunk: Chunk | undefined, last: boolean): Promise<void> {
    // Before every batch: nothing is sealed under a generation whose reader has been revoked.
    await this.#retireEnded();
    const state = this.#state;
    const { keys, write } = this.#writable(stream);
    for (const observation of chunk?.observations ?? []) insideLease(observation, write);
    const signer = { ...state.signer };
    const chunks = chunk ? [this.#sign(stream, epoch, chunk, signer)] : [];
    const { sealed, commit } = prepareBatch(state, keys, this.#deps.place, epoch, chunks, last);
    await this.#deps.blocks.putMany([sealed.header, sealed.batch]);
    const before = state.signer;
    const undo = commit();
    state.signer = signer;
    state.pending.push({ ...sealed.entry, size: sealed.batch.length });
    await this.#saveOr(() => {
      state.pending.pop();
      state.signer = before;
      undo();
    });
  }

  #writable({ id }: StreamDescriptor): Writable {
    return writable(this.#state, id, this.#deps.watch, this.#deps.now());
  }

  #sign(stream: StreamDescriptor, epoch: number, chunk: Chunk, signer: SignerState): SignedChunk {
    const item = { stream: stream.id, epoch, count: chunk.observations.length, root: chunkRoot(chunk) };
    const statement = signStatement(this.#deps.keys.signing, this.#deps.firmware, signer, [item]);
    return { ...chunk, statement, index: 0 };
  }

  /** Runs changes of the state one after the other: each begins where the one before ended, and the newest is saved last. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Saves; when that fails, takes the change back, so that who tries again does not make it twice. */
  async #saveOr(undo: () => unknown): Promise<void> {
    try {
      await this.#deps.store.save(this.#state);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Builds the next checkpoint, stores all its blocks and pins them. */
  async #prepare(): Promise<PreparedCheckpoint> {
    const { blocks, keys, place, entries: capacity } = this.#deps;
    const state = this.#state;
    const own = state.pending.slice(0, capacity);
    const mails = state.mail.slice(0, MAIL_ROWS);
    const classes = Object.values(state.leases).flatMap((lease) => lease.keys.map(({ stream }) => stream.batchClass));
    const padding = padCheckpoint(
      keys.padding,
      state.index,
      capacity,
      own.map(({ size }) => size),
      MAIL_ROWS - mails.length,
      classes,
      keys.hpke.kem,
    );
    const entries = inOrder([...own, ...padding.entries]);
    const mail = rowsInOrder([...mails, ...padding.mail]);
    const { block, pages } = encodeCheckpoint({
      ...place,
      index: state.index,
      headBefore: state.head,
      previous: state.checkpoint,
      entries,
      mail,
      erased: state.erased,
    });
    await blocks.putMany([...padding.blocks, ...pages, block].sort((a, b) => Buffer.compare(sha256(a), sha256(b))));
    const digest = sha256(block);
    const members = [
      ...entries.flatMap(({ header, batch }) => [header, batch]),
      ...mail.map(({ envelope }) => envelope),
      ...pages.map((page) => sha256(page)),
    ];
    const pinset = await blocks.putPinset({ checkpoint: digest, blocks: members });

    const prepared = {
      root: checkpointRoot(entries),
      digest,
      size: entries.length,
      headBefore: state.head,
      entries: own.length,
      mails: mails.length,
      pinset,
    };
    state.prepared = prepared;
    await this.#saveOr(() => (state.prepared = undefined));
    return prepared;
  }

  /** Anchors a prepared checkpoint unless the chain has it already; then the state moves on. */
  async #anchorPrepared(prepared: PreparedCheckpoint): Promise<Anchored> {
    const { anchor, store } = this.#deps;
    const { root, digest, size, headBefore } = prepared;
    const after = headAfter(headBefore, prepared);
    const head = await anchor.head();
    if (!equal(head, headBefore) && !equal(head, after)) {
      throw new ForkedError("the chain's head of this gateway is not the one its state follows", {
        hint: "another gateway used this key, or the state is an old copy; do not anchor until this is resolved",
      });
    }
    const receipt = equal(head, after) ? undefined : await anchor.anchor({ root, digest, size }, headBefore);
    const state = this.#state;
    const own = state.pending.splice(0, prepared.entries);
    state.mail.splice(0, prepared.mails);
    state.erased.splice(0);
    state.index += 1;
    state.head = after;
    state.checkpoint = digest;
    state.prepared = undefined;
    await store.save(state);
    return { root, digest, size, pinset: prepared.pinset, receipt, own };
  }
}

function insideLease({ time }: Observation, { consent: { dataStart, dataEnd } }: Link): void {
  const seconds = parseInstant(time)?.seconds ?? -1;
  if (seconds < dataStart || seconds >= dataEnd) {
    throw new NoLeaseError("a reading lies outside the data window of the leave to write", {
      hint: "ask the patient for an import consent over the recording's time",
    });
  }
}
