import { createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { createEVM, type EVM } from "@ethereumjs/evm";
import { SimpleStateManager } from "@ethereumjs/statemanager";
import { createAddressFromString, type Address } from "@ethereumjs/util";
import type { Interface } from "ethers";
import { fromHex, hex0x } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import { ContractRefusedError } from "./errors.ts";

/** Far above what any question here needs; an endless loop ends. */
const GAS_LIMIT = 100_000_000n;

/** One contract's code over given storage, in this process: no node learns what it is asked. */
export class InProcessContract {
  readonly #name: string;
  readonly #errors: Interface;
  readonly #evm: EVM;
  readonly #to: Address;

  private constructor(name: string, errors: Interface, evm: EVM, to: Address) {
    this.#name = name;
    this.#errors = errors;
    this.#evm = evm;
    this.#to = to;
  }

  /**
   * @param errors - The contract's interface, which names what it reverts with.
   * @param code - Checked by the caller against the hash that was pinned at deployment.
   */
  static async create(
    name: string,
    errors: Interface,
    code: Hex,
    at: { readonly chainId: number; readonly address: Hex },
    storage: ReadonlyMap<Hex, Hex> = new Map(),
  ): Promise<InProcessContract> {
    const common = createCustomCommon({ chainId: at.chainId }, Mainnet, { hardfork: Hardfork.Osaka });
    const stateManager = new SimpleStateManager({ common });
    const to = createAddressFromString(at.address);
    await stateManager.putCode(to, fromHex(code));
    for (const [slot, value] of storage) await stateManager.putStorage(to, fromHex(slot), fromHex(value));
    return new InProcessContract(name, errors, await createEVM({ common, stateManager }), to);
  }

  /**
   * A static call.
   *
   * @param time - The block's, in unix seconds.
   * @throws ContractRefusedError when the contract reverts.
   */
  async call(data: Hex, time = 0): Promise<Uint8Array> {
    const { execResult } = await this.#evm.runCall({
      to: this.#to,
      data: fromHex(data),
      gasLimit: GAS_LIMIT,
      isStatic: true,
      block: { header: { ...BLOCK, timestamp: BigInt(time) } },
    });
    if (execResult.exceptionError !== undefined) {
      const data = execResult.returnValue;
      const named = data.length < 4 ? undefined : this.#errors.parseError(hex0x(data))?.name;
      throw new ContractRefusedError(this.#name, named ?? execResult.exceptionError.error);
    }
    return execResult.returnValue;
  }
}

/** What a block needs besides its time; the contracts look at none of it. */
const BLOCK = {
  number: 1n,
  coinbase: createAddressFromString(`0x${"0".repeat(40)}`),
  difficulty: 0n,
  prevRandao: new Uint8Array(32),
  gasLimit: GAS_LIMIT,
  baseFeePerGas: 0n,
  getBlobGasPrice: () => 0n,
};
