import type { CheckpointAnchor } from "../chain/anchor.ts";
import type { Release } from "../envelope/payload.ts";
import type { Entry, MailRow } from "../log/checkpoint.ts";
import { freshSigner, type SignerState } from "../log/signer.ts";

/** Where the gateway stands in one generation. */
export interface WriterState {
  /** Sequence of the next header. */
  sequence: number;
  /** Digest of the last sealed header; zeros at first. */
  previous: Uint8Array;
  /** Digest of the last sealed header of the generation before. */
  readonly continues: Uint8Array;
  /** By epoch: number of the next batch, and whether a header said `last`. */
  readonly epochs: Record<number, { n: number; closed: boolean }>;
}

/** A checkpoint whose blocks are stored and whose anchoring was begun. */
export interface PreparedCheckpoint extends CheckpointAnchor {
  readonly headBefore: Uint8Array;
  /** How many pending entries and mails it takes. */
  readonly entries: number;
  readonly mails: number;
  /** CID of its pinset. */
  readonly pinset: string;
}

/** An entry whose blocks are stored. */
export interface PendingEntry extends Entry {
  /** Bytes of the sealed batch. */
  readonly size: number;
}

/** All that a gateway must not lose, sealed where it is stored. */
export interface GatewayState {
  readonly format: "medseal/gateway/1";
  /** The newest lease under each WRITE consent, by consent id. */
  readonly leases: Record<string, Release>;
  /** Generations that a revocation retired, as `stream:generation`; never used again. */
  readonly retired: string[];
  /** By `stream:generation`. */
  readonly writers: Record<string, WriterState>;
  signer: SignerState;
  /** Entries whose blocks are stored and that wait for a checkpoint. */
  readonly pending: PendingEntry[];
  /** Mail that waits for a checkpoint. */
  readonly mail: MailRow[];
  /** Digests that the next checkpoint lists as erased. */
  readonly erased: Uint8Array[];
  /** Index of the next checkpoint, head and digest of the one before. */
  index: number;
  head: Uint8Array;
  checkpoint: Uint8Array;
  prepared: PreparedCheckpoint | undefined;
}

export const freshGateway = (): GatewayState => ({
  format: "medseal/gateway/1",
  leases: {},
  retired: [],
  writers: {},
  signer: freshSigner(),
  pending: [],
  mail: [],
  erased: [],
  index: 0,
  head: new Uint8Array(32),
  checkpoint: new Uint8Array(32),
  prepared: undefined,
});
