import { equal } from "../bytes/bytes.ts";
import { random, type Random } from "../bytes/random.ts";
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
import type { SignedChunk } from "../log/sealed-batch.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { parseInstant } from "../observation/instant.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import type { HpkeKeyPair } from "../seal/hpke.ts";
import { ForkedError, NoLeaseError } from "./errors.ts";
import { StreamIngest } from "./ingest.ts";
import { acceptLease, retireEnded, writable } from "./leases.ts";
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
  readonly #deps: GatewayDeps & { entries: number; firmware: number; random: Random };
  #state: GatewayState;

  private constructor(deps: GatewayDeps, state: GatewayState) {
    this.#deps = { entries: 64, firmware: 0, random, ...deps };
    this.#state = state;
  }

  /** Takes up where the stored state ends, finishing a checkpoint whose anchoring was interrupted. */
  static async open(deps: GatewayDeps): Promise<Gateway> {
    const gateway = new Gateway(deps, (await deps.store.load()) ?? freshGateway());
    if (gateway.#state.prepared) await gateway.#anchorPrepared(gateway.#state.prepared);
    return gateway;
  }

  /** Opens a lease and keeps it. @throws NoLeaseError; the HPKE layer's error when it is for somebody else. */
  async acceptLease(envelope: Uint8Array): Promise<Release> {
    const lease = await openEnvelope(envelope, this.#deps.keys.hpke, this.#deps.registry);
    await this.#deps.watch.refresh();
    acceptLease(this.#state, lease, this.#deps.address, this.#deps.watch);
    await this.#deps.store.save(this.#state);
    return lease;
  }

  /** Stores an envelope and puts it into the mail of the next checkpoint. */
  async post(envelope: Uint8Array, viewKey: Uint8Array): Promise<void> {
    const digest = await this.#deps.blocks.put(envelope);
    this.#state.mail.push(mailRow(digest, viewKey, this.#deps.random));
    await this.#deps.store.save(this.#state);
  }

  /**
   * Takes the observations of one stream from an unsigned source.
   *
   * @throws NoLeaseError without a lease; and from `add` for a reading outside the data window of the leave to write, which is then not taken.
   */
  ingest(stream: StreamDescriptor, clock: Clock): StreamIngest {
    const { keys, random: rand, firmware } = this.#deps;
    const signing = { key: keys.signing, state: this.#state.signer, firmware, random: rand };
    const admit = (observation: Observation): void =>
      insideLease(observation, writable(this.#state, stream.id, this.#deps.watch).write);
    return new StreamIngest(stream, clock, signing, admit, (epoch, chunks, last) =>
      this.#seal(stream, epoch, chunks, last),
    );
  }

  /** The streams that its leases cover, each once. */
  streams(): StreamDescriptor[] {
    const all = Object.values(this.#state.leases).flatMap(({ keys }) => keys.map(({ stream }) => stream));
    return all.filter(({ id }, i) => all.findIndex((other) => equal(other.id, id)) === i);
  }

  /** Moves to the spare generations if a watched consent has ended. @returns how many generations were retired. */
  async retireEnded(): Promise<number> {
    await this.#deps.watch.refresh();
    const retired = retireEnded(this.#state, this.#deps.watch);
    if (retired.length > 0) await this.#deps.store.save(this.#state);
    return retired.length;
  }

  /** Stores and anchors what waits, as many checkpoints as it takes; with nothing waiting, one that is all padding. */
  async checkpoint(): Promise<Anchored[]> {
    const anchored: Anchored[] = [];
    do anchored.push(await this.#anchorPrepared(await this.#prepare()));
    while (this.#state.pending.length > 0 || this.#state.mail.length > 0);
    return anchored;
  }

  async #seal(stream: StreamDescriptor, epoch: number, chunks: readonly SignedChunk[], last: boolean): Promise<void> {
    // Before every batch: nothing is sealed under a generation whose reader has been revoked.
    await this.retireEnded();
    const { keys, write } = writable(this.#state, stream.id, this.#deps.watch);
    for (const { observations } of chunks) for (const observation of observations) insideLease(observation, write);
    const { sealed, commit } = prepareBatch(this.#state, keys, this.#deps.place, epoch, chunks, last);
    await this.#deps.blocks.putMany([sealed.header, sealed.batch]);
    commit();
    this.#state.pending.push(sealed.entry);
    await this.#deps.store.save(this.#state);
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
      capacity - own.length,
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
    await this.#deps.store.save(state);
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
