import { join } from "node:path";
import type { HDNodeWallet } from "ethers";
import type { SyncOptions } from "../../src/chain/ledger-sync.ts";
import type { Recipient } from "../../src/envelope/envelope.ts";
import type { Release } from "../../src/envelope/payload.ts";
import type { AnchorOptions } from "../../src/gateway/anchor.ts";
import type { GatewayDeps, LateBox } from "../../src/gateway/deps.ts";
import type { Gateway } from "../../src/gateway/gateway.ts";
import type { BlockStore } from "../../src/ipfs/store.ts";
import { twinRows, type TwinRows } from "../../src/state/twin.ts";
import { openBook } from "./book.ts";
import type { Call } from "./command.ts";
import { withChain, withStore, withView, type Chain, type View } from "./chain.ts";
import { withIdentity, type Session } from "./home.ts";
import { ownAddress, walletOf } from "./patient.ts";
import { knownSender } from "./people.ts";
import { OWN_ADDRESS, type Vault } from "./vault.ts";

/** The gateway of a session, on a chain. */
export interface AsGateway {
  readonly session: Session;
  readonly chain: Chain;
  readonly view: View;
  readonly gateway: Gateway;
  readonly blocks: BlockStore;
  readonly signer: HDNodeWallet;
  readonly rows: TwinRows;
}

/** What a gateway is given beyond the usual, by what it will have. */
export type More = (
  has: Pick<AsGateway, "session" | "chain" | "rows">,
) => Partial<
  Pick<GatewayDeps, "entries" | "oldestWaiting" | "latenessBound" | "threads"> &
    Pick<AnchorOptions, "ceiling" | "proven">
>;

export const journalOf = (folder: string, chainId: number): string => join(folder, `journal-${chainId}.sqlite`);

/** The patient whose lease it is, by their card. */
function patientsOf(vault: Vault): LateBox["recipientOf"] {
  const known = new WeakMap<Release, Recipient | undefined>();
  return (lease) => {
    if (!known.has(lease)) known.set(lease, knownSender(vault, lease)?.recipient);
    return known.get(lease);
  };
}

export function asGateway<T>(
  call: Call,
  work: (as: AsGateway) => Promise<T>,
  more: More = () => ({}),
  sync: SyncOptions = {},
): Promise<T> {
  return withIdentity(call, (session) =>
    withChain((chain) =>
      withStore((blocks) =>
        withView(
          chain,
          session.folder,
          async (view) => {
            const { Gateway } = await import("../../src/gateway/gateway.ts");
            const { gatewayAnchor } = await import("../../src/gateway/anchor.ts");
            const { CEILING } = await import("../../src/chain/resend.ts");
            const { hpke, signing, secret } = session.vault;
            const address = ownAddress(session.vault);
            const signer = walletOf(session.vault).signer(OWN_ADDRESS, chain.rpc);
            const rows = twinRows(journalOf(session.folder, chain.deployment.chainId));
            const receipts = openBook(session, chain, view);
            const { ceiling = CEILING, proven = false, ...given } = more({ session, chain, rows });
            const gateway = new Gateway({
              ...given,
              address,
              receipts,
              late: { signer, recipientOf: patientsOf(session.vault) },
              place: chain.placeOf(address),
              registry: chain.registry,
              blocks,
              anchor: gatewayAnchor(chain.rpc, chain.deployment, signer, address, { ceiling, proven }),
              watch: view.watch,
              ask: view.ask,
              rows,
              keys: { hpke, signing, secret },
            });
            try {
              return await work({ session, chain, view, gateway, blocks, signer, rows });
            } finally {
              await gateway.close();
              receipts.close();
            }
          },
          sync,
        ),
      ),
    ),
  );
}
