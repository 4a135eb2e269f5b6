import { ByteWriter } from "../bytes/writer.ts";
import { utf8 } from "../bytes/bytes.ts";

const NAME = utf8("medseal/v1");

/** The one suite of version 1: HKDF-SHA-256, AES-256-GCM, the commitment of `seal`. */
const SUITE = 0x01;

/** Code of each kind of block; a code is never used again for another kind. */
const KINDS = { batch: 1, header: 2, journal: 3 } as const;

export type SealKind = keyof typeof KINDS;

/** Where a sealed block belongs. Authenticated with it, and known to whoever may open it before opening. */
export interface SealContext {
  /** EIP-155 chain id, below 2^64. */
  readonly chainId: bigint;
  /** Address of RecordAnchor, 20 bytes. */
  readonly anchor: Uint8Array;
  /** Address of the gateway that writes the generation, 20 bytes. */
  readonly gateway: Uint8Array;
  /** Random id of the stream, 32 bytes. */
  readonly stream: Uint8Array;
  /** 0 to 2^32 - 1. */
  readonly generation: number;
  /** Index of the epoch, 0 to 2^32 - 1. */
  readonly epoch: number;
  /** Number of the batch inside the epoch, 0 to 2^32 - 1. */
  readonly n: number;
  readonly kind: SealKind;
}

export const CONTEXT_SIZE = 104;

/** The 104 bytes that stand for a context: fixed widths, so two contexts never give the same bytes. See docs/formats.md, "Sealed block". */
export function encodeContext(context: SealContext): Uint8Array {
  return new ByteWriter()
    .raw(NAME)
    .uint(SUITE, 1)
    .uint(context.chainId, 8)
    .fixed(context.anchor, 20)
    .fixed(context.gateway, 20)
    .fixed(context.stream, 32)
    .uint(context.generation, 4)
    .uint(context.epoch, 4)
    .uint(context.n, 4)
    .uint(KINDS[context.kind], 1)
    .finish();
}
