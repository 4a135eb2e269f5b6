import type { Signer } from "ethers";
import type { Hex } from "../consent/consent.ts";
import type { Anchor } from "./gateway.ts";
import { anchorCheckpoint, headOf } from "../chain/anchor.ts";
import type { Deployment } from "../chain/deployment.ts";
import type { Rpc } from "../chain/rpc.ts";

/** RecordAnchor under a gateway's own address. */
export const gatewayAnchor = (rpc: Rpc, deployment: Deployment, signer: Signer, address: Hex): Anchor => ({
  head: () => headOf(rpc, deployment, address),
  async anchor(checkpoint, expectedHead) {
    const done = await anchorCheckpoint(checkpoint, expectedHead, signer, rpc, deployment);
    return done.status === "mined" ? { transaction: done.transaction, gasUsed: BigInt(done.gas) } : undefined;
  },
});
