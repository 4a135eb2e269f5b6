import { BlockAlteredError, BlockMissingError, BlockPinnedError, StoreUnavailableError } from "./errors.ts";
import { MedSealError } from "../errors.ts";

/** How Kubo says, with status 500, that it does not hold a block. */
const MISSING = /ipld: could not find|blockstore: block not found|merkledag: not found/;
/** How Kubo with `Datastore.HashOnRead` says that the bytes on its disk are not those of the CID. */
const ALTERED = /block in storage has different hash than requested/;
/** Of `block/rm`: "pinned: recursive", "pinned via" and the CID of a pin above. */
const PINNED = /^pinned(:| via )/;
const NOT_PINNED = /not pinned/;
const CID_NAMED = /could not find (b[a-z2-7]{58,})/;

/**
 * Turns what the RPC client threw into one of this layer's errors.
 *
 * A block counts as missing only on the node's own words for it; everything that is not understood is an outage.
 *
 * @param cid - The block asked for; the answer may name another one, such as a linked block while pinning.
 */
export function storeError(error: unknown, cid?: string): MedSealError {
  if (error instanceof MedSealError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const status = statusOf(error);
  if (status === 500 && cid !== undefined) {
    if (MISSING.test(message)) return new BlockMissingError(CID_NAMED.exec(message)?.[1] ?? cid, { cause: error });
    if (ALTERED.test(message)) return new BlockAlteredError(cid, undefined, { cause: error });
  }
  return new StoreUnavailableError(reasonOf(error, status), { ...(cid === undefined ? {} : { cid }), cause: error });
}

/** Whether the node refused to unpin because there was no pin. */
export const isNotPinned = (error: unknown): boolean =>
  statusOf(error) === 500 && error instanceof Error && NOT_PINNED.test(error.message);

/** What the line of `block/rm` for one block says; nothing when the block is gone or never was there. */
export function removalError(message: string, cid: string): MedSealError | undefined {
  if (message === "" || MISSING.test(message)) return undefined;
  return PINNED.test(message)
    ? new BlockPinnedError(cid)
    : new StoreUnavailableError("it did not remove a block", { cid });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("response" in error)) return undefined;
  const { response } = error;
  return typeof response === "object" && response !== null && "status" in response
    ? Number(response.status)
    : undefined;
}

/** Says what kind of failure it was; the node's own text stays in `cause`, as it may hold paths. */
function reasonOf(error: unknown, status: number | undefined): string {
  if (status !== undefined) return `it answered with status ${status}`;
  if (!(error instanceof Error)) return "it gave no usable answer";
  if (error.name === "TimeoutError" || error.name === "AbortError") return "it did not answer in time";
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return "it gave no usable answer";
}
