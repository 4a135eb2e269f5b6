import { now, type Now } from "../bytes/random.ts";
import type { ConsentWatch } from "../consent/watch.ts";
import { ChainUnavailableError } from "./errors.ts";
import type { ConsentLedger } from "./ledger.ts";

/** In-process chains make blocks only for transactions. */
const DEVELOPMENT_CHAIN = 31337;

/** How old the newest block of a node may be, in seconds, before its silence about ends counts as an outage. */
const FRESH_WITHIN = 600;

export interface WatchOptions {
  /** Seconds; Infinity for chains that make no blocks while nothing happens. */
  readonly freshWithin?: number;
  readonly now?: Now;
}

/**
 * The ledger as use cases ask it.
 *
 * @throws from `refresh`: ChainUnavailableError when the node cannot be reached, or is so far behind that an end may be missing.
 */
export const watchLedger = (ledger: ConsentLedger, options: WatchOptions = {}): ConsentWatch => ({
  async refresh() {
    await ledger.sync();
    const usual = ledger.address.chainId === DEVELOPMENT_CHAIN ? Infinity : FRESH_WITHIN;
    const age = (options.now ?? now)() - (ledger.latest?.time ?? 0);
    if (age > (options.freshWithin ?? usual))
      throw new ChainUnavailableError(`the node's newest block is ${age} seconds old`);
  },
  ended: ({ grantor, id }) => ledger.stateOf(grantor, id).ended !== undefined,
  inForce: ({ grantor, id }) => ledger.stateOf(grantor, id).inForce,
  intervals: ({ grantor, id }) => ledger.intervalsOf(grantor, id),
});
