import { join } from "node:path";
import { now } from "../../src/bytes/random.ts";
import { RelationshipWallet } from "../../src/chain/wallet.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { AccessLedger } from "../../src/disclosure/book.ts";
import { twinRows } from "../../src/state/twin.ts";
import type { Chain, View } from "./chain.ts";
import type { Session } from "./home.ts";
import { OWN_ADDRESS } from "./vault.ts";

/** The access ledger of an identity on a chain; to be closed. */
export function openBook({ vault, folder }: Session, { registry, deployment }: Chain, { ledger }: View): AccessLedger {
  const signer = new RelationshipWallet(vault.patient.phrase).signer(OWN_ADDRESS);
  return new AccessLedger({
    signer,
    holder: signer.address as Hex,
    place: registry,
    rows: twinRows(join(folder, `disclosures-${deployment.chainId}.sqlite`)),
    secret: vault.secret,
    // What a block says has happened is past, even where the chain's clock is ahead of this one.
    now: () => Math.max(now(), ledger.latest?.time ?? 0),
  });
}
