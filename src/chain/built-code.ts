import { createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM } from "@ethereumjs/evm";
import { createAddressFromString } from "@ethereumjs/util";
import { keccak256 } from "ethers";
import { ConsentRegistry__factory } from "../../typechain-types/factories/ConsentRegistry__factory.ts";
import { RecordAnchor__factory } from "../../typechain-types/factories/RecordAnchor__factory.ts";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import type { ContractName } from "./contracts.ts";

const CREATION: Readonly<Record<ContractName, string>> = {
  ConsentRegistry: ConsentRegistry__factory.bytecode,
  RecordAnchor: RecordAnchor__factory.bytecode,
};

/**
 * The hash that the code of a contract of this version has at an address on a chain: its constructor run in this process. For who verifies
 * without a record of the deployment.
 */
export async function builtCodeHash(name: ContractName, chainId: number, address: Hex): Promise<Hex> {
  const common = createCustomCommon({ chainId }, Mainnet, { hardfork: Hardfork.Osaka });
  const evm = await createEVM({ common });
  const at = createAddressFromString(address);
  const { returnValue } = await evm.runCode({ code: fromHex(CREATION[name]), to: at, gasLimit: 100_000_000n });
  return keccak256(hex0x(returnValue)) as Hex;
}
