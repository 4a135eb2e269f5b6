import { concat, encodeBase58, HDNodeWallet, keccak256, type HDNodeVoidWallet, type TypedDataField } from "ethers";
import { fromHex, hex0x, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import type { Hex } from "../consent/consent.ts";

/** Who answers for a plan's alerts on chain, where every alert knows them by another address. */
export interface OnChain {
  /** One of the plan's responders. */
  readonly responder: string;
  /** Their public key, 33 bytes: its address is the one that they answer under. */
  readonly key: Hex;
}

/** An alert that is to stand on chain. */
export interface Raise {
  /** Id of its plan, 128 bits that only those know who hold the plan. */
  readonly plan: string;
  /** Number of the entry that opened it. */
  readonly n: number;
}

/** What stands on chain for an entry: nobody finds the entry from it, and who holds the plan finds it from the entry. */
export const sealedAlertOf = ({ plan, n }: Raise): Hex => hex0x(sha256(utf8(`medseal/v1/raised\n${plan}/${n}`)));

/** The address that alone can acknowledge the alert: a child by BIP-32 of the responder's key under the plan's chain code. */
export const onceAddress = ({ key }: Pick<OnChain, "key">, { plan, n }: Raise): Hex =>
  (extended(XPUB, plan, key) as HDNodeVoidWallet).deriveChild(n).address as Hex;

/** Signs for that address. @param privateKey - Of the responder, 32 bytes. */
const onceSigner = (privateKey: Hex, { plan, n }: Raise): HDNodeWallet =>
  (extended(XPRV, plan, concat(["0x00", privateKey]) as Hex) as HDNodeWallet).deriveChild(n);

/** 25 bytes: see `IAlertRules.raise`. */
export const raisedDigest = (onChain: Pick<OnChain, "key">, raise: Raise): Hex =>
  keccak256(concat([sealedAlertOf(raise), onceAddress(onChain, raise)])).slice(0, 2 + 2 * 25) as Hex;

const [XPUB, XPRV] = ["0x0488b21e", "0x0488ade4"];

/** BIP-32, "Serialization format": version, depth 0, no parent, number 0, chain code, key; and a checksum. */
function extended(version: string, plan: string, key: Hex): HDNodeWallet | HDNodeVoidWallet {
  const chainCode = hex0x(sha256(utf8(`medseal/v1/once\n${plan}`)));
  const bytes = concat([version, "0x000000000000000000", chainCode, key]);
  const checksum = hex0x(sha256(sha256(fromHex(bytes)))).slice(0, 10);
  return HDNodeWallet.fromExtendedKey(encodeBase58(concat([bytes, checksum])));
}

const ACKNOWLEDGE: Record<string, TypedDataField[]> = {
  Acknowledge: [
    { name: "gateway", type: "address" },
    { name: "slot", type: "uint32" },
    { name: "sealedAlert", type: "bytes32" },
  ],
};

/** Where an alert stands: the contract, and the monitor's address with its slot there. */
export interface OnChainPlace {
  readonly chainId: number;
  readonly contract: Hex;
  readonly gateway: Hex;
  readonly slot: number;
}

/** The responder's acknowledgement on chain, see `IAlertRules.acknowledge`. @param privateKey - Of the responder. */
export const signOnce = (
  privateKey: Hex,
  raise: Raise,
  { chainId, contract, gateway, slot }: OnChainPlace,
): Promise<string> =>
  onceSigner(privateKey, raise).signTypedData(
    { name: "MedSeal AlertRules", version: "1", chainId, verifyingContract: contract },
    ACKNOWLEDGE,
    { gateway, slot, sealedAlert: sealedAlertOf(raise) },
  );
