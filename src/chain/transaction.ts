import { setTimeout } from "node:timers/promises";
import {
  isCallException,
  isError,
  type ContractTransactionResponse,
  type Interface,
  type TransactionReceipt,
} from "ethers";
import type { Hex } from "../consent/consent.ts";
import { INTERFACES, type AnyContractName } from "./contracts.ts";
import { ChainUnavailableError, ContractRefusedError } from "./errors.ts";
import { isOutage } from "./rpc.ts";

/** What became of a transaction. */
export interface Mined {
  readonly transaction: Hex;
  readonly block: number;
  readonly gas: number;
}

/** What to do about an error that a person can do something about. */
const HINTS: Readonly<Record<string, string>> = {
  ConsentRevokedAlready: "the grantor has revoked this consent for good; draw up and sign a new one",
  ConsentIssuedBeforeRevokeAll: "the grantor has revoked everything signed until then; sign again",
  ConsentIssuedInFuture: "the clock of the device that signed runs ahead; set it and sign again",
  ConsentDeadlinePassed: "the message was relayed too late; sign again",
  RuleVersionMismatch: "versions of one name count from 1 without a gap; see medseal rules list --publisher",
  ConsentSignatureInvalid: "the message was altered, or is for another chain or registry",
};

/** Reason of a transaction that was mined and refused: nodes keep no revert data. */
export const NO_REASON = "no reason given";

/** How long to wait for a transaction to be mined before that counts as an outage. */
export const WAIT_MS = 180_000;

/** First and longest pause between two looks for the receipt. */
const PAUSE_MS = { first: 10, longest: 1_000 };

/**
 * Sends a transaction and waits until it is in a block; that block may still be reorganised away.
 *
 * @throws ContractRefusedError with the contract's own reason, ChainUnavailableError when it was not mined in time.
 */
export async function sendAndWait(
  contract: AnyContractName,
  send: () => Promise<ContractTransactionResponse>,
  waitMs: number = WAIT_MS,
): Promise<Mined> {
  let receipt: TransactionReceipt;
  try {
    receipt = await receiptOf(await send(), waitMs);
  } catch (error) {
    throw error instanceof ChainUnavailableError ? error : refusal(contract, error);
  }
  if (receipt.status === 0) throw new ContractRefusedError(contract, NO_REASON);
  return { transaction: receipt.hash as Hex, block: receipt.blockNumber, gas: Number(receipt.gasUsed) };
}

/** Asks again and again. The `wait` of ethers looks at new blocks only, and so waits for ever where no other block comes. */
async function receiptOf(sent: ContractTransactionResponse, waitMs: number): Promise<TransactionReceipt> {
  let pause = PAUSE_MS.first;
  for (let waited = 0; ; waited += pause, pause = Math.min(2 * pause, PAUSE_MS.longest)) {
    const receipt = await sent.provider.getTransactionReceipt(sent.hash);
    if (receipt !== null) return receipt;
    if (waited >= waitMs) throw new ChainUnavailableError("the transaction was not mined in time");
    await setTimeout(pause);
  }
}

/** What an error that a provider threw means. */
export function refusal(contract: AnyContractName, error: unknown): Error {
  if (isOutage(error)) return new ChainUnavailableError(undefined, error);
  const reason = customError(INTERFACES[contract], error);
  if (reason !== undefined) return new ContractRefusedError(contract, reason, HINTS[reason], error);
  if (isCallException(error)) return new ContractRefusedError(contract, NO_REASON, undefined, error);
  if (isError(error, "INSUFFICIENT_FUNDS")) {
    return new ContractRefusedError(contract, "the relayer cannot pay for gas", "fund the relayer", error);
  }
  return new ChainUnavailableError("the transaction could not be sent", error);
}

/** The name of the custom error in what a provider threw: each buries the revert data elsewhere. */
function customError(contract: Interface, error: unknown): string | undefined {
  const queue: unknown[] = [error];
  for (let looked = 0; queue.length > 0 && looked < 32; looked++) {
    const at = queue.shift();
    if (typeof at === "string" && /^0x[0-9a-f]{8}/i.test(at)) {
      const name = contract.getError(at.slice(0, 10))?.name;
      if (name !== undefined) return name;
    }
    if (typeof at === "object" && at !== null) {
      const { data, error: inner, info, cause } = at as Record<string, unknown>;
      queue.push(data, inner, info, cause);
    }
  }
  return undefined;
}
