import type { Signer } from "ethers";
import { anchorCheckpoint, headOf, type CheckpointAnchor } from "../chain/anchor.ts";
import type { Deployment } from "../chain/deployment.ts";
import { ChainUnavailableError } from "../chain/errors.ts";
import { finalBlock, provenHead } from "../chain/head-proof.ts";
import type { ResendOptions, TransactionBook } from "../chain/resend.ts";
import { needBlock, type Rpc } from "../chain/rpc.ts";
import type { Hex } from "../consent/consent.ts";

export interface Receipt {
  readonly transaction: Hex;
  readonly block: number;
  readonly gasUsed: bigint;
}

/** RecordAnchor as the gateway uses it. */
export interface Anchor {
  /**
   * The gateway's rolling head, zeros at first, and the newest block, as of which it is.
   *
   * @param atLeast - A block that was there before; a node that does not have it yet lags, and gives no verdict.
   */
  head(atLeast: number): Promise<{ readonly head: Uint8Array; readonly block: number }>;
  /** The same as of the last final block. */
  finalHead(): Promise<Uint8Array>;
  /**
   * Anchors and waits; undefined when an earlier try had got through. The transaction fails unless the chain's head is `expectedHead`.
   *
   * @param book - Where its tries are written down.
   */
  anchor(checkpoint: CheckpointAnchor, expectedHead: Uint8Array, book: TransactionBook): Promise<Receipt | undefined>;
}

export interface AnchorOptions extends Omit<ResendOptions, "book"> {
  /** Heads count by proofs of the chain's state (EIP-1186) only, so that a node cannot make one up. */
  readonly proven?: boolean;
}

/** RecordAnchor under a gateway's own address. */
export function gatewayAnchor(
  rpc: Rpc,
  deployment: Deployment,
  signer: Signer,
  address: Hex,
  { proven = false, ...options }: AnchorOptions = {},
): Anchor {
  const headAt = (block: number): Promise<Uint8Array> =>
    proven ? provenHead(rpc, deployment, address, block) : headOf(rpc, deployment, address, block);
  return {
    async head(atLeast) {
      const { number } = await needBlock(rpc, "latest");
      if (number < atLeast)
        throw new ChainUnavailableError("the node does not have the block of an earlier anchor yet");
      return { head: await headAt(number), block: number };
    },
    async finalHead() {
      return proven ? headAt((await finalBlock(rpc)).number) : headOf(rpc, deployment, address, "finalized");
    },
    async anchor(checkpoint, expectedHead, book) {
      const how = { ...options, book, headAt };
      const done = await anchorCheckpoint(checkpoint, expectedHead, signer, rpc, deployment, how);
      if (done.status === "already") return undefined;
      return { transaction: done.transaction, block: done.block, gasUsed: BigInt(done.gas) };
    },
  };
}
