import { hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { epochKey } from "../keys/cover.ts";
import type { CheckpointPlace } from "../log/checkpoint.ts";
import { sealBatch, type SealedBatch, type SignedChunk } from "../log/sealed-batch.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { NoLeaseError } from "./errors.ts";
import { generationKey } from "./leases.ts";
import type { GatewayState, WriterState } from "./state.ts";

const ZEROS = new Uint8Array(32);

/** The writer state of a generation, begun where the generation before of the same gateway ended. */
function writerOf(state: GatewayState, keys: GenerationKeys): WriterState {
  const before = state.writers[`${hex(keys.stream.id)}:${keys.generation - 1}`];
  return (state.writers[generationKey(keys)] ??= {
    sequence: 0,
    previous: ZEROS,
    continues: before?.previous ?? ZEROS,
    epochs: {},
  });
}

/** True when a header of this epoch said `last` already, so that a further batch is late. */
export const isClosed = (state: GatewayState, keys: GenerationKeys, epoch: number): boolean =>
  state.writers[generationKey(keys)]?.epochs[epoch]?.closed ?? false;

/** A batch that was sealed; `commit` moves the writer on, once its blocks are stored, and gives back what undoes that. */
export interface PreparedBatch {
  readonly sealed: SealedBatch;
  readonly commit: () => () => void;
}

/**
 * Seals the next batch of an epoch. Until it is committed, the same call gives the same place.
 *
 * @param last - No further batch of this epoch is expected.
 */
export function prepareBatch(
  state: GatewayState,
  keys: GenerationKeys,
  place: CheckpointPlace,
  epoch: number,
  chunks: readonly SignedChunk[],
  last: boolean,
): PreparedBatch {
  if (!keys.data) throw new NoLeaseError("the lease holds no keys of the data tree");
  const writer = writerOf(state, keys);
  const at = writer.epochs[epoch] ?? { n: 0, closed: false };
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
  );
  return {
    sealed,
    commit: () => {
      writer.sequence += 1;
      writer.previous = sha256(sealed.header);
      writer.epochs[epoch] = { n: at.n + 1, closed: at.closed || last };
      return () => {
        writer.sequence = links.sequence;
        writer.previous = links.previous;
        writer.epochs[epoch] = at;
      };
    },
  };
}
