import type { Signer } from "ethers";
import { random } from "../../src/bytes/random.ts";
import type { Hex } from "../../src/consent/consent.ts";
import { getAddress, Wallet } from "ethers";
import type { Party } from "../../src/patient/terms.ts";
import { generateKeyPair, X_WING, type HpkeKeyPair, type KemId } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";

/** A grantee or gateway with their secrets, on their own machine. */
export interface Identity {
  readonly party: Party;
  readonly hpke: HpkeKeyPair;
  /** X25519 secret for mail rows. */
  readonly viewSecret: Uint8Array;
}

/** @param signer - For who sends transactions; a reader needs an address and no ether. */
export async function newIdentity(name: string, signer?: Signer, kem: KemId = X_WING): Promise<Identity> {
  const hpke = await generateKeyPair(kem);
  const viewSecret = random(32);
  const address = getAddress(signer ? await signer.getAddress() : Wallet.createRandom().address) as Hex;
  const recipient = { kem: hpke.kem, hpkeKey: hpke.publicKey, viewKey: x25519PublicKey(viewSecret) };
  return { party: { name, address, recipient }, hpke, viewSecret };
}
