import { compare, equal, fromHex, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { headAfter, type CheckpointAnchor } from "../chain/anchor.ts";
import type { TransactionBook } from "../chain/resend.ts";
import type { BlockStore } from "../ipfs/store.ts";
import { checkpointRoot, encodeCheckpoint, type CheckpointPlace } from "../log/checkpoint.ts";
import { MAIL_ROWS } from "../log/mail.ts";
import type { KemId } from "../seal/hpke.ts";
import { inOrder, type Journal } from "../state/journal.ts";
import type { Turns } from "../state/turns.ts";
import type { Anchor, Receipt } from "./anchor.ts";
import { ForkedError } from "./errors.ts";
import { inTagOrder, padCheckpoint, rowsInOrder } from "./padding.ts";
import type { DecidedCheckpoint, GatewayState, PendingEntry } from "./state.ts";

/** A checkpoint that is on the chain. */
export interface Anchored extends CheckpointAnchor {
  /** Undefined when an earlier try had got through. */
  readonly receipt: Receipt | undefined;
  readonly pinset: string;
  /** Its entries that are not padding. Only the gateway can tell. */
  readonly own: readonly PendingEntry[];
}

export interface CheckpointDeps {
  readonly place: CheckpointPlace;
  readonly blocks: BlockStore;
  readonly anchor: Anchor;
  /** Entries of the next checkpoint, raised on a schedule. */
  readonly capacity: () => number;
  /** 32 secret bytes, from which padding follows. */
  readonly secret: Uint8Array;
  readonly kem: KemId;
}

/** How far what was sealed has got. Sealed batches, and mail, are counted from 0 in the order they came. */
export interface Whereabouts {
  /** Sealed so far, and how many of them a checkpoint has. */
  readonly arrived: number;
  readonly placed: number;
  readonly waiting: number;
  /** Checkpoints decided on; how many of them are stored and read back, and how many final. */
  readonly decided: number;
  readonly published: number;
  readonly final: number;
  /** Block in which a checkpoint is, unless it was long ago. */
  blockOf(checkpoint: number): number | undefined;
}

/** Final checkpoints whose heads are kept, so that the chain's head is found again after a deep reorganisation. */
const KEPT = 1024;
/** Blocks put at a time, so that memory stays bounded. */
const AT_A_TIME = 32;

/**
 * A gateway's chain of checkpoints. Each is decided on first, and written down; then its blocks are stored and pinned, all at once and in
 * the order of their digests, so that the store does not see which ones are padding; then it is anchored. What was begun is finished as it
 * is, and what a reorganisation of the chain took back is anchored again.
 *
 * One call at a time. Others change the state while a transaction waits: what is read here outside a turn is changed here only.
 */
export class Checkpoints {
  readonly #journal: Journal;
  readonly #state: GatewayState;
  readonly #inTurn: Turns;
  readonly #deps: CheckpointDeps;

  /** @param inTurn - Of all who change the state. */
  constructor(journal: Journal, state: GatewayState, inTurn: Turns, deps: CheckpointDeps) {
    this.#journal = journal;
    this.#state = state;
    this.#inTurn = inTurn;
    this.#deps = deps;
  }

  /** Whether something waits for the next checkpoint. */
  get waiting(): boolean {
    const { pending, mail } = this.#state;
    return pending.entries().length > 0 || mail.entries().length > 0;
  }

  get whereabouts(): Whereabouts {
    const { position, pending, mail, checkpoints } = this.#state;
    const decided = checkpoints.entries();
    const [first] = decided;
    const base = first ? Number(first[0]) : position.index;
    const upTo = (reached: (checkpoint: DecidedCheckpoint) => boolean): number => {
      const open = decided.findIndex(([, checkpoint]) => !reached(checkpoint));
      return open === -1 ? position.index : base + open;
    };
    const waiting = [pending.entries()[0]?.[0], mail.entries()[0]?.[0]].flatMap((name) => name ?? []);
    return {
      arrived: position.arrivals,
      placed: Math.min(position.arrivals, ...waiting.map(Number)),
      waiting: pending.entries().length,
      decided: position.index,
      published: upTo(({ pinset }) => pinset !== undefined),
      final: upTo(({ final }) => final === true),
      blockOf: (checkpoint) => checkpoints.get(inOrder(checkpoint))?.mined,
    };
  }

  /** Decides on the next checkpoint: as much of what waits as it holds, and padding. */
  decide(): Promise<void> {
    return this.#inTurn(() => this.#decide());
  }

  async #decide(): Promise<void> {
    const { place, secret, kem } = this.#deps;
    const capacity = this.#deps.capacity();
    const state = this.#state;
    const { index, head, checkpoint: previous } = state.position;
    const pending = state.pending.entries().slice(0, capacity);
    const mails = state.mail.entries().slice(0, MAIL_ROWS);
    const own = pending.map(([, entry]) => entry);
    const classes = state.leases.entries().flatMap(([, { keys }]) => keys.map(({ stream }) => stream.batchClass));
    const sizes = own.map(({ size }) => size);
    const padding = padCheckpoint(secret, index, capacity, sizes, MAIL_ROWS - mails.length, classes, kem);
    const entries = inTagOrder([...own, ...padding.entries]);
    const mail = rowsInOrder([...mails.map(([, row]) => row), ...padding.mail]);
    const erased = state.erased.entries().map(([digest]) => fromHex(digest));
    const content = { ...place, index, headBefore: head, previous, entries, mail, erased };
    const { block, pages } = encodeCheckpoint(content);
    const made = [...padding.blocks, ...pages].map((bytes) => ({ digest: sha256(bytes), bytes }));
    const stored = [...own.flatMap(({ header, batch }) => [header, batch]), ...mails.map(([, row]) => row.envelope)];
    const anchor = { root: checkpointRoot(entries), digest: sha256(block), size: entries.length };
    const decided: DecidedCheckpoint = {
      ...anchor,
      headBefore: head,
      headAfter: headAfter(head, anchor),
      own,
      blocks: [...stored, ...made.map(({ digest }) => digest)].sort(compare),
    };
    await this.#journal.write(() => {
      for (const { digest, bytes } of [...made, { digest: anchor.digest, bytes: block }])
        state.blocks.set(hex(digest), bytes);
      for (const [name] of pending) state.pending.delete(name);
      for (const [name] of mails) state.mail.delete(name);
      for (const digest of erased) state.erased.delete(hex(digest));
      state.checkpoints.set(inOrder(index), decided);
      state.move({ index: index + 1, head: decided.headAfter, checkpoint: decided.digest });
    });
  }

  /**
   * Stores and anchors every decided checkpoint that the chain does not have.
   *
   * @throws ForkedError when the chain's head is none of this journal's; the store's and the chain's errors.
   */
  async anchorDecided(): Promise<Anchored[]> {
    const { anchor } = this.#deps;
    const decided = this.#state.checkpoints.entries();
    const known = Math.max(0, ...decided.map(([, { mined }]) => mined ?? 0));
    const { head, block } = await anchor.head(known);
    const reached = decided.findLastIndex(([, { headAfter: after }]) => equal(after, head));
    const first = decided[0]?.[1].headBefore ?? this.#state.position.head;
    if (reached === -1 && !equal(head, first)) throw new ForkedError();
    const done: Anchored[] = [];
    for (const [i, [name, checkpoint]] of decided.entries()) {
      if (i <= reached && checkpoint.mined !== undefined) continue;
      const pinset = checkpoint.pinset ?? (await this.#publish(name, checkpoint));
      const receipt =
        i <= reached ? undefined : await anchor.anchor(checkpoint, checkpoint.headBefore, this.#book(name));
      await this.#update(name, { pinset, mined: receipt?.block ?? block });
      const { root, digest, size, own } = checkpoint;
      done.push({ root, digest, size, pinset, receipt, own });
    }
    return done;
  }

  /** Lets go of the blocks of checkpoints that became final. To be called before a new one is decided. */
  async settle(): Promise<void> {
    const waiting = this.#state.checkpoints.entries().filter(([, { mined, final }]) => mined !== undefined && !final);
    if (waiting.length === 0) return;
    const head = await this.#deps.anchor.finalHead();
    const reached = waiting.findLastIndex(([, { headAfter: after }]) => equal(after, head));
    if (reached === -1) return;
    await this.#write(() => {
      for (const [name, checkpoint] of waiting.slice(0, reached + 1)) this.#settle(name, checkpoint);
      const all = this.#state.checkpoints.entries();
      for (const [name] of all.slice(0, Math.max(0, all.length - KEPT))) this.#state.checkpoints.delete(name);
    });
  }

  #settle(name: string, { sent: _sent, ...checkpoint }: DecidedCheckpoint): void {
    const { blocks, epochs, checkpoints } = this.#state;
    for (const digest of [...checkpoint.blocks, checkpoint.digest]) blocks.delete(hex(digest));
    for (const { epoch } of checkpoint.own) {
      const at = epochs.get(epoch);
      if (at) epochs.set(epoch, { ...at, final: at.final + 1 });
    }
    checkpoints.set(name, { ...checkpoint, own: [], blocks: [], final: true });
  }

  /** Stores and pins all blocks of a checkpoint. @returns the CID of its pinset. */
  async #publish(name: string, checkpoint: DecidedCheckpoint): Promise<string> {
    const { blocks } = this.#deps;
    const digests = [...checkpoint.blocks, checkpoint.digest];
    for (let i = 0; i < digests.length; i += AT_A_TIME)
      await blocks.putMany(await Promise.all(digests.slice(i, i + AT_A_TIME).map((digest) => this.#block(digest))));
    const pinset = await blocks.putPinset({ checkpoint: checkpoint.digest, blocks: checkpoint.blocks });
    await this.#update(name, { pinset });
    return pinset;
  }

  #book(name: string): TransactionBook {
    return { get: () => this.#state.checkpoints.get(name)?.sent, note: (sent) => this.#update(name, { sent }) };
  }

  #write(work: () => void): Promise<void> {
    return this.#inTurn(() => this.#journal.write(work));
  }

  #update(name: string, change: Partial<DecidedCheckpoint>): Promise<void> {
    const { checkpoints } = this.#state;
    return this.#write(() => checkpoints.set(name, { ...(checkpoints.get(name) as DecidedCheckpoint), ...change }));
  }

  /** From the journal, or from the store when an earlier checkpoint had the same one and is final. */
  async #block(digest: Uint8Array): Promise<Uint8Array> {
    return this.#state.blocks.get(hex(digest)) ?? (await this.#deps.blocks.get(digest));
  }
}
