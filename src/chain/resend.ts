import { setTimeout } from "node:timers/promises";
import { BaseWallet, isError, Transaction, type Signer } from "ethers";
import type { Hex } from "../consent/consent.ts";
import type { AnyContractName } from "./contracts.ts";
import { ChainUnavailableError, ContractRefusedError } from "./errors.ts";
import { askPlain, needBlock, quantity, toQuantity, type Rpc } from "./rpc.ts";
import { NO_REASON, refusal, WAIT_MS, type Mined } from "./transaction.ts";

/** One try at a transaction. Fees in wei; a chain without a base fee has no tip. */
export interface Try {
  /** Undefined where the node holds the key and has not told. */
  readonly hash?: Hex;
  readonly maxFee: bigint;
  readonly tip?: bigint;
  /** Unix milliseconds at which it was sent. */
  readonly at: number;
}

/** A transaction as often as it was sent: each try has the same nonce, so at most one of them is ever mined. */
export interface SentTransaction {
  readonly nonce: number;
  readonly gasLimit: bigint;
  readonly tries: readonly Try[];
}

/** Where a transaction is written down before it is sent. `note` resolves when it is durable. */
export interface TransactionBook {
  get(): SentTransaction | undefined;
  note(sent: SentTransaction): Promise<void>;
}

export interface ResendOptions {
  /** Without one, a process that begins anew does not know what was sent before. */
  readonly book?: TransactionBook;
  /** Most wei that a unit of gas may cost, whatever the chain asks. */
  readonly ceiling?: bigint;
  /** Milliseconds after which a try that no block took is replaced by one that pays more. */
  readonly stuckAfter?: number;
  /** Milliseconds after which it counts as an outage that no block took it. */
  readonly waitMs?: number;
  readonly now?: () => number;
}

/** What is sent, and whether its effect is in the state of a block. */
export interface Wanted {
  readonly contract: AnyContractName;
  readonly to: Hex;
  readonly data: string;
  /** @throws when it cannot come to that any more. */
  readonly arrived: (block: number) => Promise<boolean>;
}

const GWEI = 1_000_000_000n;
/** Far above what busy chains ask, and still some ether a transaction at most. */
export const CEILING = 500n * GWEI;
const STUCK_AFTER = 60_000;
const PAUSE_MS = { first: 10, longest: 1_000 };
/** In percent. Nodes take a replacement that pays at least 10 % more. */
const BUMP = 112n;
const LEAST_BUMP = 110n;
/** What is left over for a state that changes until it is mined, in percent. */
const GAS_MARGIN = 120n;

/** What nodes say to a try that they have already, and to one that pays too little. */
const KNOWN = /already known|already imported|known transaction|nonce too low|nonce has already been used/i;
const UNDERPRICED = /underpriced|less than block base fee|max fee per gas|fee ?cap|base fee/i;

/**
 * Sends a transaction until its effect is there, whatever becomes of the tries: one that was dropped or taken back by a reorganisation is
 * sent again, one that is stuck is replaced by one that pays more, and a used nonce by a new one. Safe to repeat, also by a process that
 * begins with the book alone. The chain's state decides, not a receipt.
 *
 * @returns what was mined; undefined when the effect was there before, or the node shows no receipt.
 * @throws ContractRefusedError, ChainUnavailableError, and what `arrived` throws.
 */
export async function sendUntil(
  wanted: Wanted,
  signer: Signer,
  rpc: Rpc,
  options: ResendOptions = {},
): Promise<Mined | undefined> {
  const { waitMs = WAIT_MS } = options;
  const sending = new Sending(wanted, signer, rpc, options);
  let pause = PAUSE_MS.first;
  for (let waited = 0, first = true; ; first = false) {
    const { number } = await needBlock(rpc, "latest");
    if (await wanted.arrived(number)) return first ? undefined : await sending.mined(number);
    await sending.step(number);
    if (waited >= waitMs) throw new ChainUnavailableError("the transaction was not mined in time");
    await setTimeout(pause);
    waited += pause;
    pause = Math.min(2 * pause, PAUSE_MS.longest);
  }
}

class Sending {
  readonly #wanted: Wanted;
  readonly #signer: Signer;
  readonly #rpc: Rpc;
  readonly #book: TransactionBook;
  readonly #options: Required<Pick<ResendOptions, "ceiling" | "stuckAfter" | "now">>;

  constructor(wanted: Wanted, signer: Signer, rpc: Rpc, options: ResendOptions) {
    this.#wanted = wanted;
    this.#signer = signer;
    this.#rpc = rpc;
    this.#book = options.book ?? looseBook();
    const { ceiling = CEILING, stuckAfter = STUCK_AFTER, now = Date.now } = options;
    this.#options = { ceiling, stuckAfter, now };
  }

  /** Does what is to be done while the effect is not in the state of this block. */
  async step(block: number): Promise<void> {
    const used = await this.#nonce(block);
    let sent = this.#book.get();
    if (sent && used > sent.nonce) {
      if (await this.#wasRefused(sent)) {
        await this.#book.note({ ...sent, tries: [] });
        throw new ContractRefusedError(this.#wanted.contract, NO_REASON);
      }
      // Another transaction of this account took its place.
      sent = undefined;
    }
    const next = Math.max(used, await this.#nonce("pending"));
    // One before it is gone for good: it would wait for that for ever.
    if (sent && next < sent.nonce) sent = undefined;
    const last = sent?.tries.at(-1);
    if (sent === undefined || last === undefined) return this.#firstTry(next);
    if (this.#options.now() - last.at >= this.#options.stuckAfter) {
      const fees = bumped(last, await this.#market(), this.#options.ceiling);
      if (fees) return this.#send(sent, fees);
    }
    // The node does not count it among what waits: it was dropped, or never came.
    if (next === sent.nonce) await this.#again(sent, last);
  }

  /** @returns what the node tells of the try that was mined. */
  async mined(block: number): Promise<Mined | undefined> {
    const receipt = await this.#receipt(this.#book.get());
    if (receipt?.status !== 1 || receipt.block > block) return undefined;
    return { transaction: receipt.transaction, block: receipt.block, gas: receipt.gas };
  }

  async #firstTry(nonce: number): Promise<void> {
    const { to, data, contract } = this.#wanted;
    let estimate: bigint;
    try {
      estimate = await this.#signer.estimateGas({ to, data });
    } catch (error) {
      throw refusal(contract, error);
    }
    const { ceiling } = this.#options;
    const market = await this.#market();
    const gasLimit = (estimate * GAS_MARGIN) / 100n;
    await this.#send({ nonce, gasLimit, tries: [] }, capped(market, ceiling));
  }

  async #send(sent: SentTransaction, fees: Fees): Promise<void> {
    const one: Try = { ...fees, at: this.#options.now() };
    const hash = await this.#hashOf(sent, one);
    const tries = [...sent.tries, { ...one, ...(hash && { hash }) }];
    // Written down first: after a crash the same is sent again, and not another beside it.
    await this.#book.note({ ...sent, tries });
    await this.#again({ ...sent, tries }, tries.at(-1) as Try);
  }

  async #again(sent: SentTransaction, last: Try): Promise<void> {
    try {
      const { hash } = await this.#broadcast(sent, last);
      if (last.hash === undefined) await this.#renote(sent, { ...last, hash: hash as Hex });
    } catch (error) {
      const text = textOf(error);
      if (isError(error, "NONCE_EXPIRED") || KNOWN.test(text)) return;
      const poor = isError(error, "INSUFFICIENT_FUNDS");
      const cheap = !poor && (isError(error, "REPLACEMENT_UNDERPRICED") || UNDERPRICED.test(text));
      // The next look pays more, if it may.
      if (cheap) return this.#renote(sent, { ...last, at: 0 });
      throw refusal(this.#wanted.contract, error);
    }
  }

  #renote(sent: SentTransaction, last: Try): Promise<void> {
    return this.#book.note({ ...sent, tries: [...sent.tries.slice(0, -1), last] });
  }

  #request({ nonce, gasLimit }: SentTransaction, { maxFee, tip }: Try): object {
    const { to, data } = this.#wanted;
    const fees =
      tip === undefined ? { type: 0, gasPrice: maxFee } : { type: 2, maxFeePerGas: maxFee, maxPriorityFeePerGas: tip };
    return { to, data, nonce, gasLimit, value: 0n, ...fees };
  }

  /** Known before it is sent where the key is at hand; the same request is signed the same each time (RFC 6979). */
  async #hashOf(sent: SentTransaction, one: Try): Promise<Hex | undefined> {
    if (!(this.#signer instanceof BaseWallet)) return undefined;
    const request = await this.#signer.populateTransaction(this.#request(sent, one));
    const signed = Transaction.from(await this.#signer.signTransaction(request));
    return signed.hash as Hex;
  }

  #broadcast(sent: SentTransaction, one: Try): Promise<{ hash: string }> {
    return this.#signer.sendTransaction(this.#request(sent, one));
  }

  async #nonce(at: number | "pending"): Promise<number> {
    const tag = at === "pending" ? at : toQuantity(at);
    const address = await this.#signer.getAddress();
    return quantity(await askPlain(this.#rpc, "eth_getTransactionCount", [address, tag]), "nonce");
  }

  async #market(): Promise<Fees> {
    const { provider } = this.#signer;
    if (!provider) throw new ChainUnavailableError("the signer has no chain");
    try {
      const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await provider.getFeeData();
      if (maxFeePerGas !== null && maxPriorityFeePerGas !== null)
        return { maxFee: maxFeePerGas, tip: maxPriorityFeePerGas };
      return { maxFee: gasPrice ?? GWEI };
    } catch (error) {
      throw new ChainUnavailableError("the node does not tell what gas costs", error);
    }
  }

  async #wasRefused(sent: SentTransaction): Promise<boolean> {
    return (await this.#receipt(sent))?.status === 0;
  }

  async #receipt(sent: SentTransaction | undefined): Promise<Receipt | undefined> {
    for (const { hash } of sent?.tries ?? []) {
      if (hash === undefined) continue;
      const answer = await askPlain(this.#rpc, "eth_getTransactionReceipt", [hash]);
      if (answer === null || answer === undefined) continue;
      const { status, blockNumber, gasUsed } = answer as Record<string, unknown>;
      return {
        transaction: hash,
        status: quantity(status, "status"),
        block: quantity(blockNumber, "block number of a receipt"),
        gas: quantity(gasUsed, "gas"),
      };
    }
    return undefined;
  }
}

interface Receipt extends Mined {
  readonly status: number;
}

type Fees = Pick<Try, "maxFee" | "tip">;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const more = (fee: bigint, percent: bigint): bigint => (fee * percent + 99n) / 100n;

const capped = ({ maxFee, tip }: Fees, ceiling: bigint): Fees => ({
  maxFee: least(maxFee, ceiling),
  ...(tip !== undefined && { tip: least(tip, ceiling) }),
});

/** Fees that replace a try's. @returns undefined when the ceiling lets it pay no more that a node would take. */
export function bumped(last: Fees, market: Fees, ceiling: bigint): Fees | undefined {
  const next = capped(
    {
      maxFee: most(more(last.maxFee, BUMP), market.maxFee),
      ...(last.tip !== undefined && { tip: most(more(last.tip, BUMP), market.tip ?? 0n) }),
    },
    ceiling,
  );
  const enough =
    next.maxFee >= more(last.maxFee, LEAST_BUMP) &&
    (last.tip === undefined || (next.tip ?? 0n) >= more(last.tip, LEAST_BUMP));
  return enough ? next : undefined;
}

/** Holds for one call. */
function looseBook(): TransactionBook {
  let sent: SentTransaction | undefined;
  return {
    get: () => sent,
    note(next) {
      sent = next;
      return Promise.resolve();
    },
  };
}

/** All that a provider threw says, as far as it is text. */
function textOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error, depth = 0; at !== null && typeof at === "object" && depth < 6; depth++) {
    const { message, error: inner, info, cause } = at as Record<string, unknown>;
    if (typeof message === "string") texts.push(message);
    at = inner ?? info ?? cause;
  }
  return texts.join("\n");
}
