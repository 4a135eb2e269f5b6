import { artifacts } from "hardhat";
import { CONTRACTS, type ContractName } from "../package/standard-input.ts";

/** Most bytes of code that a contract may have. */
export const LARGEST_CODE = 10_000;

/** Bytes of code of a deployed contract. */
export interface CodeSize {
  readonly bytes: number;
  readonly pass: boolean;
}

/** Every contract that is deployed; code of libraries is in those that use it. */
export async function codeSizes(): Promise<Readonly<Record<ContractName, CodeSize>>> {
  const sizes = CONTRACTS.map(async (name) => {
    const { deployedBytecode } = await artifacts.readArtifact(name);
    const bytes = deployedBytecode.length / 2 - 1;
    return [name, { bytes, pass: bytes <= LARGEST_CODE }] as const;
  });
  return Object.fromEntries(await Promise.all(sizes)) as Record<ContractName, CodeSize>;
}
