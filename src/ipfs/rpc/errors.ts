import type { CID } from "multiformats/cid";
import { NotFoundError } from "../blocks.ts";
import { LinkAlteredError, LinkMissingError } from "../walk.ts";

/** A refusal that goes to the client as Kubo writes one: JSON with `Message`, `Code` and `Type`. */
export class RpcError extends Error {
  readonly status: number;

  constructor(message: string, status = 500) {
    super(message);
    this.status = status;
  }
}

/** Kubo's words for a block that it does not hold and was told not to look for. */
export const notFound = (cid: CID): RpcError =>
  new RpcError(`block was not found locally (offline): ipld: could not find ${cid.toString()}`);

/** What a failed command answers. Failures that are not the client's say no more than their kind: they may hold paths. */
export function toRpcError(error: unknown, asked: CID | undefined): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof LinkMissingError) return notFound(error.cid);
  if (error instanceof LinkAlteredError) return new RpcError("block in storage has different hash than requested");
  const name = error instanceof Error ? error.name : "";
  const missing = error instanceof NotFoundError || name === "BlockNotFoundWhileOfflineError";
  if (missing && asked !== undefined) return notFound(asked);
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : name;
  return new RpcError(`the node failed: ${code === "" ? "Error" : code}`);
}
