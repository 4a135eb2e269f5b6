import type { Hex } from "../consent/consent.ts";
import { SignedMessageError } from "../consent/errors.ts";
import { formatSigned, parseSigned, verifySigned, type SignedMessage } from "../consent/signed.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import type { ConsentRef } from "../consent/watch.ts";
import { attestBlock, attestLedger } from "./attest.ts";
import { proveConsents, type RegistryProof } from "./consent-proof.ts";
import type { Deployment } from "./deployment.ts";
import { NodeLiesError } from "./errors.ts";
import { endedBeforeAfter, entryAfter, intervals, isActive, type Entry, type Interval } from "./ledger-state.ts";
import { LedgerStore, type LedgerEvent, type SyncedBlock } from "./ledger-store.ts";
import { syncLedger, type SyncOptions, type SyncReport } from "./ledger-sync.ts";
import type { BlockHeader, Rpc } from "./rpc.ts";

/** What is known of one consent now. Beginnings count from final blocks, ends from the latest one and from signatures. */
export interface ConsentState {
  /** The newest grant on the chain, and whether its block is final; undefined when there is none. */
  readonly granted: { readonly issuedAt: number; readonly grantedAt: number; readonly final: boolean } | undefined;
  /** How it ended; `signed` is an end that the grantor has signed and that is not mined yet. */
  readonly ended: "revoked" | "all-revoked" | "signed" | undefined;
  /** Granted in a final block and not ended in any way: the only state in which keys may be released. */
  readonly inForce: boolean;
}

/** Which state goes into a decision: what holds now, or what final blocks say of a past moment. */
export type View = "now" | { readonly at: number };

/**
 * The client's own copy of the registry's public state. It reads all events of the registry and never asks the node for
 * an id, so the node does not learn which consents its client cares about.
 */
export class ConsentLedger {
  readonly #rpc: Rpc;
  readonly #deployment: Deployment;
  readonly #store: LedgerStore;
  readonly #options: SyncOptions;
  #syncing: Promise<unknown> = Promise.resolve();
  /** States at one version of the store: the same few are asked for again and again. */
  #known = { version: "", states: new Map<string, ConsentState>() };

  /** @param path - File of the ledger; it is filled from the chain when it is new. */
  constructor(rpc: Rpc, deployment: Deployment, path = ":memory:", options: SyncOptions = {}) {
    this.#rpc = rpc;
    this.#deployment = deployment;
    this.#options = options;
    this.#store = new LedgerStore(path, this.address);
  }

  get address(): RegistryAddress {
    return { chainId: this.#deployment.chainId, registry: this.#deployment.contracts.ConsentRegistry.address };
  }

  /** The last block that the ledger has, undefined before the first `sync`. */
  get latest(): SyncedBlock | undefined {
    const [latest] = this.#store.blocks();
    return latest;
  }

  /** The last block that the ledger has and that was final. */
  get final(): SyncedBlock | undefined {
    const { finalBlock } = this.#store;
    return [...this.#store.blocks()].find(({ number }) => number <= finalBlock);
  }

  /** Brings the ledger to the chain's latest block, taking back what a reorganisation took back. */
  sync(): Promise<SyncReport> {
    // One after the other: each caller wants the chain as it stands after the call.
    const run = () => this.#sync();
    const result = this.#syncing.then(run, run);
    this.#syncing = result.catch(() => undefined);
    return result;
  }

  async #sync(): Promise<SyncReport> {
    const report = await syncLedger(this.#rpc, this.#deployment, this.#store, this.#options);
    if (this.#options.attested !== true) return report;
    try {
      await this.#attestLatest(this.#store);
      return report;
    } catch (error) {
      if (!(error instanceof NodeLiesError)) throw error;
    }
    // Which of its events are missing or made up does not show: all are read again, beside, and count once they are proven.
    const fresh = new LedgerStore(":memory:", this.address);
    try {
      const again = await syncLedger(this.#rpc, this.#deployment, fresh, this.#options);
      await this.#attestLatest(fresh);
      this.#store.replaceBy(fresh);
      return again;
    } finally {
      fresh.close();
    }
  }

  async #attestLatest(store: LedgerStore): Promise<void> {
    const [latest] = store.blocks();
    if (latest) await attestBlock(this.#rpc, this.#deployment, store, latest);
  }

  /** Checks the ledger against the state of its last final block, see `attestLedger`. */
  async attest(): Promise<{ readonly block: number; readonly hash: Hex }> {
    return attestLedger(this.#rpc, this.#deployment, this.#store);
  }

  /** Proves the state of consents in a final block that the ledger has, see `proveConsents`. */
  async prove(header: BlockHeader, consents: readonly ConsentRef[], ask = false): Promise<RegistryProof> {
    return proveConsents(this.#rpc, this.#deployment, this.#store, header, consents, ask);
  }

  /**
   * Takes in an end that the grantor has signed. From now on it counts, mined or not; no reorganisation takes it back.
   *
   * @throws SignedMessageError unless it is an end for this registry with the grantor's own signature.
   */
  noteSigned(message: SignedMessage): void {
    if (message.format === "medseal-signed-grant") {
      throw new SignedMessageError("a signed grant counts once it is mined and final, not before");
    }
    verifySigned(message, this.address);
    const one = message.format === "medseal-signed-revoke";
    const id = one ? message.consentId : undefined;
    this.#store.addSigned(message.grantor, id, one ? 0 : message.issuedAt, formatSigned(message));
  }

  /** The signed ends noted so far, for relaying them again until they are final. */
  signedEnds(): SignedMessage[] {
    return this.#store.signedMessages().map(parseSigned);
  }

  stateOf(grantor: Hex, consentId: Hex): ConsentState {
    const { version } = this.#store;
    if (version !== this.#known.version) this.#known = { version, states: new Map() };
    const { states } = this.#known;
    const name = `${grantor}/${consentId}`;
    const state = states.get(name) ?? this.#stateOf(grantor, consentId);
    states.set(name, state);
    return state;
  }

  #stateOf(grantor: Hex, consentId: Hex): ConsentState {
    const all = this.#store.events(grantor, consentId);
    const latest = entryAfter(all);
    const final = entryAfter(this.#final(all));
    const chainEnd = endedBeforeAfter(this.#store.events(grantor, undefined));
    const { issuedAt, grantedAt } = latest;
    // A grant that comes after an end lifts it once it is final itself.
    const counted = final.grantedAt === 0 ? latest : { ...final, revokedAt: latest.revokedAt };
    return {
      granted: grantedAt === 0 ? undefined : { issuedAt, grantedAt, final: issuedAt === final.issuedAt },
      ended: this.#endOf(grantor, consentId, counted, chainEnd),
      inForce: isActive(this.entryFor(grantor, consentId, "now"), this.endedBeforeFor(grantor, "now")),
    };
  }

  #endOf(grantor: Hex, consentId: Hex, entry: Entry, chainEnd: number): ConsentState["ended"] {
    if (entry.revokedAt !== 0) return "revoked";
    if (entry.grantedAt !== 0 && entry.issuedAt <= chainEnd) return "all-revoked";
    if (this.#store.signedEnd(grantor, consentId) !== undefined) return "signed";
    const signedEnd = this.#store.signedEnd(grantor, undefined) ?? 0;
    return entry.grantedAt !== 0 && entry.issuedAt <= signedEnd ? "signed" : undefined;
  }

  /**
   * Whether the consent was in force at a time, by final blocks: from the block that granted it, before the block that
   * ended it. Its own period is the document's matter.
   */
  statusAt(grantor: Hex, consentId: Hex, time: number): { readonly inForce: boolean; readonly settled: boolean } {
    const entry = this.entryFor(grantor, consentId, { at: time });
    const inForce = isActive(entry, this.endedBeforeFor(grantor, { at: time }));
    // Until a final block lies after `time`, another event may still come before it.
    return { inForce, settled: (this.final?.time ?? -1) > time };
  }

  /** The times in which the consent was in force, by final blocks. */
  intervalsOf(grantor: Hex, consentId: Hex): Interval[] {
    return intervals(
      this.#final(this.#store.events(grantor, consentId)),
      this.#final(this.#store.events(grantor, undefined)),
    );
  }

  /** The entry that decides, in the contract's own form: deny early, allow late. */
  entryFor(grantor: Hex, consentId: Hex, view: View): Entry {
    const all = this.#store.events(grantor, consentId);
    if (view !== "now") return entryAfter(this.#final(all).filter(({ time }) => time <= view.at));
    const signed = this.#store.signedEnd(grantor, consentId) !== undefined;
    return { ...entryAfter(this.#final(all)), revokedAt: entryAfter(all).revokedAt || Number(signed) };
  }

  endedBeforeFor(grantor: Hex, view: View): number {
    const all = this.#store.events(grantor, undefined);
    if (view !== "now") return endedBeforeAfter(this.#final(all).filter(({ time }) => time <= view.at));
    return Math.max(endedBeforeAfter(all), this.#store.signedEnd(grantor, undefined) ?? 0);
  }

  close(): void {
    this.#store.close();
  }

  #final(events: readonly LedgerEvent[]): LedgerEvent[] {
    const { finalBlock } = this.#store;
    return events.filter(({ block }) => block <= finalBlock);
  }
}
