import type { CheckpointAnchor } from "../chain/anchor.ts";
import type { ConsentProof } from "../chain/consent-proof.ts";
import type { TrieNodes } from "../chain/state-proof.ts";

export const SHOWS = ["readings", "headers"] as const;
export type Shows = (typeof SHOWS)[number];

/** A window of one stream with all that shows it, for who has neither keys nor chain nor store. */
export interface Bundle {
  /** What made it; the exporter's word. */
  readonly software: string;
  readonly chainId: number;
  /** ConsentRegistry and RecordAnchor, 20 bytes. */
  readonly registry: Uint8Array;
  readonly anchor: Uint8Array;
  readonly stream: Uint8Array;
  readonly epochLength: number;
  /** Whether the readings are shown, or the headers only. */
  readonly shows: Shows;
  /** Unix seconds on epoch bounds, half-open. */
  readonly from: number;
  readonly to: number;
  /** RLP of the header of the block in whose state everything is shown. */
  readonly block: Uint8Array;
  /** To the account of RecordAnchor. */
  readonly anchorAccount: TrieNodes;
  /** To the account of ConsentRegistry; without it the state of the consents is not shown. */
  readonly registryAccount?: TrieNodes;
  readonly gateways: readonly BundledGateway[];
  readonly consents: readonly BundledConsent[];
  readonly generations: readonly BundledGeneration[];
  /** By digest in hex; what was there when it was exported. */
  readonly blocks: ReadonlyMap<string, Uint8Array>;
}

export interface BundledGateway {
  readonly address: Uint8Array;
  /** To its head. */
  readonly storage: TrieNodes;
  /** From the first on, up to the block. */
  readonly checkpoints: readonly BundledAnchor[];
}

/** Place and time of an anchor are the exporter's word, as far as the block does not contradict it. */
export interface BundledAnchor extends CheckpointAnchor {
  readonly block: number;
  readonly time: number;
}

export interface BundledConsent {
  /** As docs/formats.md, section 21, has it. */
  readonly consent: Uint8Array;
  /** That the stream is in its scope, without naming the others. */
  readonly scope: { readonly index: number; readonly size: number; readonly path: readonly Uint8Array[] };
  /** Present with the account of the registry. */
  readonly state?: ConsentProof;
}

export interface BundledGeneration {
  readonly generation: number;
  /** Its gateway's leave to write: index in `consents`. */
  readonly write: number;
  /** Whether the patient filed it, late readings in epochs of their own; the exporter's word. */
  readonly filed: boolean;
  /** In the order of epoch and number. */
  readonly batches: readonly BundledBatch[];
}

export interface BundledBatch {
  readonly epoch: number;
  readonly n: number;
  readonly tag: Uint8Array;
  /** Opens this header alone; absent when the exporter could not open it. */
  readonly headerKey?: Uint8Array;
  /** Opens this batch alone; absent when the readings are not shown, or the exporter could not open it. */
  readonly batchKey?: Uint8Array;
}
