import type { Signer } from "ethers";
import { checkSigned, verifySigned, type SignedMessage } from "../consent/signed.ts";
import { registryAt } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import { ContractRefusedError } from "./errors.ts";
import { NO_REASON, sendAndWait, type Mined } from "./transaction.ts";

/** `already`: somebody else has relayed this grant before; nothing was left to do. */
export type Relayed = ({ readonly status: "mined" } & Mined) | { readonly status: "already" };

export interface RelayOptions {
  readonly waitMs?: number;
  /** The grantor is a contract wallet, whose signature only the chain can check. */
  readonly forContractWallet?: boolean;
}

/**
 * Sends a signed message to the registry for a grantor who has no ether. Anybody may: the effect is the same whoever
 * relays it, in whatever order, and however often.
 *
 * @param relayer - Pays the gas; appears on chain as the sender.
 * @throws SignedMessageError before anything is sent, ContractRefusedError, ChainUnavailableError
 */
export async function relay(
  message: SignedMessage,
  relayer: Signer,
  deployment: Deployment,
  options: RelayOptions = {},
): Promise<Relayed> {
  const { chainId } = deployment;
  const { address } = deployment.contracts.ConsentRegistry;
  checkSigned(message);
  if (options.forContractWallet !== true) verifySigned(message, { chainId, registry: address });
  const registry = registryAt(address, relayer);
  const send = () => {
    switch (message.format) {
      case "medseal-signed-grant": {
        const { grantor, consentId, issuedAt, deadline, signature } = message;
        return registry.grantBySig(grantor, consentId, issuedAt, deadline, signature);
      }
      case "medseal-signed-revoke":
        return registry.revokeBySig(message.grantor, message.consentId, message.signature);
      case "medseal-signed-revoke-all":
        return registry.revokeAllBySig(message.grantor, message.issuedAt, message.signature);
    }
  };
  for (let first = true; ; first = false) {
    try {
      return { status: "mined", ...(await sendAndWait("ConsentRegistry", send, options.waitMs)) };
    } catch (error) {
      if (!(error instanceof ContractRefusedError)) throw error;
      if (error.reason === "ConsentGrantedAlready") return { status: "already" };
      // Refused only once it was mined, because another relayer was faster: the second try is told why.
      if (error.reason !== NO_REASON || !first) throw error;
    }
  }
}
