import { TypedDataEncoder, type TypedDataDomain } from "ethers";
import type { Hex } from "../consent/consent.ts";

/** What a clinician declares; see `IEmergencyAccess.Declaration`. */
export interface Declaration {
  readonly grantor: Hex;
  readonly scope: Hex;
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly declarant: Hex;
  readonly hpkeKey: Hex;
  readonly coSigner: Hex;
  readonly reason: string;
  readonly salt: Hex;
}

/** What a recovery of a vault is about; see `IVaultRecovery.Recovery`. */
export interface Recovery {
  readonly patient: Hex;
  readonly hpkeKey: Hex;
  readonly keyVersion: number;
  readonly salt: Hex;
  readonly statement: string;
}

/** Where a signature counts: one chain, one contract. */
export interface ContractAddress {
  readonly chainId: number;
  readonly contract: Hex;
}

const DECLARATION_TYPE = [
  { name: "grantor", type: "address" },
  { name: "scope", type: "bytes32" },
  { name: "dataStart", type: "uint48" },
  { name: "dataEnd", type: "uint48" },
  { name: "declarant", type: "address" },
  { name: "hpkeKey", type: "bytes32" },
  { name: "coSigner", type: "address" },
  { name: "reason", type: "string" },
  { name: "salt", type: "bytes32" },
];

/** What a co-signer signs; the wallet shows the whole declaration. */
export const CO_SIGN_TYPES = {
  CoSign: [
    { name: "declaration", type: "Declaration" },
    { name: "organisation", type: "address" },
    { name: "term", type: "uint48" },
    { name: "deadline", type: "uint48" },
  ],
  Declaration: DECLARATION_TYPE,
};

/** What a patient signs, who may know no more of a recovery than its id. */
export const VETO_TYPES = {
  Veto: [
    { name: "patient", type: "address" },
    { name: "recoveryId", type: "bytes32" },
  ],
};

const RECOVERY_TYPE = [
  { name: "patient", type: "address" },
  { name: "hpkeKey", type: "bytes32" },
  { name: "keyVersion", type: "uint32" },
  { name: "salt", type: "bytes32" },
  { name: "statement", type: "string" },
];

const domainOf = (name: string, { chainId, contract }: ContractAddress): TypedDataDomain => ({
  name,
  version: "1",
  chainId,
  verifyingContract: contract,
});

export const emergencyDomain = (at: ContractAddress): TypedDataDomain => domainOf("MedSeal EmergencyAccess", at);
export const recoveryDomain = (at: ContractAddress): TypedDataDomain => domainOf("MedSeal VaultRecovery", at);

/** What the chain sees of a declaration. */
export const commitmentOf = (declaration: Declaration): Hex =>
  TypedDataEncoder.hashStruct("Declaration", { Declaration: DECLARATION_TYPE }, declaration) as Hex;

/** What the chain sees of a recovery. */
export const recoveryIdOf = (recovery: Recovery): Hex =>
  TypedDataEncoder.hashStruct("Recovery", { Recovery: RECOVERY_TYPE }, recovery) as Hex;
