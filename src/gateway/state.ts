import { hex } from "../bytes/bytes.ts";
import type { CheckpointAnchor } from "../chain/anchor.ts";
import type { SentTransaction } from "../chain/resend.ts";
import type { Hex } from "../consent/consent.ts";
import type { Release } from "../envelope/payload.ts";
import type { Entry, MailRow } from "../log/checkpoint.ts";
import type { SealedBatch } from "../log/sealed-batch.ts";
import { freshSigner, type SignerState } from "../log/signer.ts";
import type { Span } from "./spans.ts";
import { inOrder, type Blobs, type Journal, type Table } from "../state/journal.ts";

/** Where the gateway stands in one generation. */
export interface WriterState {
  /** Sequence of the next header. */
  readonly sequence: number;
  /** Digest of the last sealed header; zeros at first. */
  readonly previous: Uint8Array;
  /** Digest of the last sealed header of the generation before, under the same leave to write. */
  readonly continues: Uint8Array;
  /** The epochs that have a header. Not there in a journal from before version 0.1. */
  readonly spans?: readonly Span[];
  /** Of these the ones of imports that have one header, which says that they were idle; they have no row among the epochs. */
  readonly idle?: readonly Span[];
}

/** Where it stands in one epoch of a generation. */
export interface EpochState {
  /** Number of the next batch. */
  readonly n: number;
  /** Whether a header said `last`. */
  readonly closed: boolean;
  /** How many of its batches are anchored for good. */
  readonly final: number;
  /** Nothing was written of it but that it was idle. */
  readonly idle?: boolean;
}

/** A sealed batch that waits for a checkpoint. */
export interface PendingEntry extends Entry {
  /** Bytes of the sealed batch. */
  readonly size: number;
  /** Its epoch, as `epochName` gives it. */
  readonly epoch: string;
}

/** A checkpoint that was decided on: from here on it is published and anchored as it is, however often that is tried. */
export interface DecidedCheckpoint extends CheckpointAnchor {
  readonly headBefore: Uint8Array;
  readonly headAfter: Uint8Array;
  /** Its entries that are not padding. */
  readonly own: readonly PendingEntry[];
  /** Digests of all its blocks without its own, ascending. They are in the journal until the checkpoint is final. */
  readonly blocks: readonly Uint8Array[];
  /** CID of its pinset, once all is stored and pinned. */
  readonly pinset?: string;
  /** Its transaction, until it is final. */
  readonly sent?: SentTransaction;
  /** Block of its transaction, once mined. A reorganisation can take it back. */
  readonly mined?: number;
  /** Set once its block is final. */
  readonly final?: true;
}

/** How far an import got: it can be given again from its start, and goes on from here. */
export interface ImportState {
  /** Chunks, and idle epochs, that are sealed. */
  readonly done: number;
  /** Nothing more comes of it. */
  readonly finished: boolean;
}

export interface Position {
  /** Of the next checkpoint, and the head and checkpoint digest that it follows. */
  readonly index: number;
  readonly head: Uint8Array;
  readonly checkpoint: Uint8Array;
  /** Counts pending entries and mail, so that they keep their order. */
  readonly arrivals: number;
  readonly signer: SignerState;
}

const FRESH: Position = {
  index: 0,
  head: new Uint8Array(32),
  checkpoint: new Uint8Array(32),
  arrivals: 0,
  signer: freshSigner(),
};

/** All that a gateway must not lose. */
export class GatewayState {
  /** The newest lease under each WRITE consent, by consent id, with the keys that are not yet forgotten. */
  readonly leases: Table<Release>;
  /** Generations that a revocation retired, as `generationName`; never written again. */
  readonly retired: Table<true>;
  readonly writers: Table<WriterState>;
  readonly epochs: Table<EpochState>;
  readonly pending: Table<PendingEntry>;
  readonly mail: Table<MailRow>;
  /** Tags of batches that patients filed, in hex: a file that comes again changes nothing. */
  readonly filed: Table<true>;
  /** Digests that the next checkpoint lists as erased, in hex. */
  readonly erased: Table<true>;
  readonly checkpoints: Table<DecidedCheckpoint>;
  readonly imports: Table<ImportState>;
  /** Blocks that are not anchored for good, by their digest in hex. */
  readonly blocks: Blobs;
  readonly #position: Table<Position>;

  constructor(journal: Journal) {
    this.leases = journal.table("lease");
    this.retired = journal.table("retired");
    this.writers = journal.table("writer");
    this.epochs = journal.table("epoch");
    this.pending = journal.table("pending");
    this.mail = journal.table("mail");
    this.filed = journal.table("filed");
    this.erased = journal.table("erased");
    this.checkpoints = journal.table("checkpoint");
    this.imports = journal.table("import");
    this.blocks = journal.blobs("block");
    this.#position = journal.table("position");
  }

  get position(): Position {
    return this.#position.get("") ?? FRESH;
  }

  move(change: Partial<Position>): void {
    this.#position.set("", { ...this.position, ...change });
  }

  /** Keeps a sealed batch for the next checkpoint that has room. @param epoch - As `epochName` gives it; empty when it is not this gateway's. */
  keepBatch({ entry, header, batch }: SealedBatch, epoch: string): void {
    this.blocks.set(hex(entry.header), header);
    this.blocks.set(hex(entry.batch), batch);
    this.pending.set(this.#arrival(), { ...entry, size: batch.length, epoch });
  }

  /** Keeps an envelope for the mail of the next checkpoint that has room. */
  keepMail(row: MailRow, envelope: Uint8Array): void {
    this.blocks.set(hex(row.envelope), envelope);
    this.mail.set(this.#arrival(), row);
  }

  /** A name for the next arrival, later than all before in the order of names. */
  #arrival(): string {
    const { arrivals } = this.position;
    this.move({ arrivals: arrivals + 1 });
    return inOrder(arrivals);
  }
}

/** By leave to write as well, so that no stranger's lease can name another patient's generation. */
export const generationName = (write: Hex, stream: Hex, generation: number): string =>
  `${write}/${stream}/${inOrder(generation)}`;

export const epochName = (generation: string, epoch: number): string => `${generation}/${inOrder(epoch)}`;
