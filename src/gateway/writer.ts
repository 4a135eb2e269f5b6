import { sha256 } from "../bytes/hash.ts";
import { epochKey } from "../keys/cover.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import { sealBatch, type SealedBatch, type SignedChunk } from "../log/sealed-batch.ts";
import { NoLeaseError } from "./errors.ts";
import { nameOf, writeOf, type Writable } from "./leases.ts";
import { isIn, withEpoch } from "./spans.ts";
import { epochName, type EpochState, type GatewayState, type WriterState } from "./state.ts";

const UNWRITTEN: EpochState = { n: 0, closed: false, final: 0 };
const IDLE: EpochState = { n: 1, closed: true, final: 1 };
const ZEROS = new Uint8Array(32);

/** The writer state of a generation, begun where the generation before under the same leave to write ended. */
function writerOf(state: GatewayState, name: string): WriterState {
  const prefix = name.slice(0, name.lastIndexOf("/") + 1);
  const before = state.writers.entries().filter(([other]) => other.startsWith(prefix) && other < name);
  const continues = before.at(-1)?.[1].previous ?? ZEROS;
  return state.writers.get(name) ?? { sequence: 0, previous: ZEROS, continues };
}

/** A batch that was sealed; `commit` moves the writer on. */
export interface PreparedBatch {
  readonly sealed: SealedBatch;
  /** Its epoch, as `epochName` gives it. */
  readonly epoch: string;
  /** To be called inside a write of the journal. */
  readonly commit: () => void;
}

/** What a batch is to hold. */
export interface BatchContent {
  readonly epoch: number;
  readonly chunks: readonly SignedChunk[];
  /** No further batch of this epoch is expected. */
  readonly last: boolean;
  /** The chunks as `encodeBatch` gives them, when that is at hand. */
  readonly encoded: Uint8Array | undefined;
}

/** Seals the next batch of an epoch. Until it is committed, the same call gives the same batch. */
export function prepareBatch(
  state: GatewayState,
  { keys, lease }: Writable,
  place: CheckpointPlace,
  { epoch, chunks, last, encoded }: BatchContent,
): PreparedBatch {
  if (!keys.data) throw new NoLeaseError("the lease holds no keys of the data tree");
  const name = nameOf(writeOf(lease), keys);
  const writer = writerOf(state, name);
  const inEpoch = epochName(name, epoch);
  const at = state.epochs.get(inEpoch) ?? (isIn(writer.idle ?? [], epoch) ? IDLE : UNWRITTEN);
  const links = {
    sequence: writer.sequence,
    previous: writer.sequence === 0 ? ZEROS : writer.previous,
    continues: writer.sequence === 0 ? writer.continues : ZEROS,
    last,
    late: at.closed,
  };
  const batchPlace = { ...place, stream: keys.stream.id, generation: keys.generation, epoch, n: at.n };
  const sealed = sealBatch(
    chunks,
    { data: epochKey(keys.data, epoch), audit: epochKey(keys.audit, epoch) },
    batchPlace,
    keys.stream,
    links,
    encoded,
  );
  return {
    sealed,
    epoch: inEpoch,
    commit: () => {
      const spans = withEpoch(writer.spans ?? [], epoch);
      state.writers.set(name, { ...writer, spans, sequence: writer.sequence + 1, previous: sha256(sealed.header) });
      // What a checkpoint settled meanwhile stays counted.
      const final = state.epochs.get(inEpoch)?.final ?? at.final;
      const idle = at.n === 0 && chunks.length === 0;
      state.epochs.set(inEpoch, { n: at.n + 1, closed: at.closed || last, final, ...(idle && { idle }) });
    },
  };
}
