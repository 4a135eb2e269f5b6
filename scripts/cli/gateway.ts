import { join } from "node:path";
import type { HDNodeWallet } from "ethers";
import type { Gateway } from "../../src/gateway/gateway.ts";
import type { BlockStore } from "../../src/ipfs/store.ts";
import { sqliteRows } from "../../src/state/rows.ts";
import { openBook } from "./book.ts";
import type { Call } from "./command.ts";
import { withChain, withStore, withView, type Chain, type View } from "./chain.ts";
import { withIdentity, type Session } from "./home.ts";
import { ownAddress, walletOf } from "./patient.ts";
import { OWN_ADDRESS } from "./vault.ts";

/** The gateway of a session, on a chain. */
export interface AsGateway {
  readonly session: Session;
  readonly chain: Chain;
  readonly view: View;
  readonly gateway: Gateway;
  readonly blocks: BlockStore;
  readonly signer: HDNodeWallet;
}

export function asGateway<T>(call: Call, work: (as: AsGateway) => Promise<T>): Promise<T> {
  return withIdentity(call, (session) =>
    withChain((chain) =>
      withStore((blocks) =>
        withView(chain, session.folder, async (view) => {
          const { Gateway } = await import("../../src/gateway/gateway.ts");
          const { gatewayAnchor } = await import("../../src/gateway/anchor.ts");
          const { hpke, signing, secret } = session.vault;
          const address = ownAddress(session.vault);
          const signer = walletOf(session.vault).signer(OWN_ADDRESS, chain.rpc);
          const receipts = openBook(session, chain, view);
          const gateway = new Gateway({
            address,
            receipts,
            place: chain.placeOf(address),
            registry: chain.registry,
            blocks,
            anchor: gatewayAnchor(chain.rpc, chain.deployment, signer, address),
            watch: view.watch,
            ask: view.ask,
            rows: sqliteRows(join(session.folder, `journal-${chain.deployment.chainId}.sqlite`)),
            keys: { hpke, signing, secret },
          });
          try {
            return await work({ session, chain, view, gateway, blocks, signer });
          } finally {
            await gateway.close();
            receipts.close();
          }
        }),
      ),
    ),
  );
}
