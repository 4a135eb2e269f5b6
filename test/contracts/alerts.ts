import { concat, keccak256, type TypedDataDomain } from "ethers";
import type { Hex } from "../../src/consent/consent.ts";
import { word, type Signs } from "./ground.ts";

/** What a responder signs, once, under the address that the care plan names for it. */
export const ACKNOWLEDGE_TYPES = {
  Acknowledge: [
    { name: "gateway", type: "address" },
    { name: "slot", type: "uint32" },
    { name: "sealedAlert", type: "bytes32" },
  ],
};

export const alertDomain = (at: { readonly chainId: number | bigint; readonly contract: string }): TypedDataDomain => ({
  name: "MedSeal AlertRules",
  version: "1",
  chainId: at.chainId,
  verifyingContract: at.contract,
});

/** A sealed alert and the digest under which it is raised for its responder. */
export function newAlert(responder: string): { readonly sealedAlert: Hex; readonly digest: Hex } {
  const sealedAlert = word();
  return { sealedAlert, digest: keccak256(concat([sealedAlert, responder])).slice(0, 2 + 2 * 25) as Hex };
}

export const signAcknowledgement = (
  responder: Signs,
  domain: TypedDataDomain,
  gateway: string,
  slot: number,
  sealedAlert: Hex,
): Promise<string> => responder.signTypedData(domain, ACKNOWLEDGE_TYPES, { gateway, slot, sealedAlert });
