import type { ConsentRef } from "../consent/watch.ts";
import { storageOf } from "./attest.ts";
import type { Deployment } from "./deployment.ts";
import { CodeDiffersError, StateDiffersError } from "./errors.ts";
import type { Interval } from "./ledger-state.ts";
import type { LedgerStore } from "./ledger-store.ts";
import type { BlockHeader, Rpc } from "./rpc.ts";
import { provenSlot, readProof, type ContractState, type TrieNodes } from "./state-proof.ts";
import { storageProof, storageRoot } from "./storage-root.ts";
import { endedBeforeSlot, entrySlot, unpackEntry } from "./storage.ts";

/** The state of consents in a block, shown by the registry's storage there. */
export interface RegistryProof {
  /** To the account of ConsentRegistry. */
  readonly account: TrieNodes;
  readonly consents: readonly ConsentProof[];
}

/** To the slots of one consent. */
export interface ConsentProof {
  readonly entry: TrieNodes;
  readonly endedBefore: TrieNodes;
}

/**
 * Proves the state of consents. The paths are taken from storage rebuilt from the events, so that the node learns nothing.
 *
 * @param header - Of a final block that the ledger has.
 * @param ask - Ask the node for the slots instead. Warning: it learns which consents matter. For nodes whose storage cannot be rebuilt, such as anvil.
 * @throws NodeLiesError when events and state differ, CodeDiffersError, ChainUnavailableError.
 */
export async function proveConsents(
  rpc: Rpc,
  deployment: Deployment,
  store: LedgerStore,
  header: BlockHeader,
  consents: readonly ConsentRef[],
  ask = false,
): Promise<RegistryProof> {
  const { address, codeHash } = deployment.contracts.ConsentRegistry;
  const wanted = consents.flatMap(({ grantor, id }) => [entrySlot(grantor, id), endedBeforeSlot(grantor)]);
  const { account, slots, state } = await readProof(rpc, header, address, ask ? wanted : []);
  if (state.codeHash !== codeHash) throw new CodeDiffersError("ConsentRegistry");
  let paths = slots;
  if (!ask) {
    const storage = storageOf(store, header.number);
    if (storageRoot(storage) !== state.storageRoot) throw new StateDiffersError();
    paths = wanted.map((slot) => storageProof(storage, slot));
  }
  return {
    account,
    consents: consents.map((_, i) => ({ entry: paths[2 * i] ?? [], endedBefore: paths[2 * i + 1] ?? [] })),
  };
}

/**
 * When a consent was in force, by the state that a proof shows: one time at most, as a grant that a later one replaced is no longer in the state. An
 * end by `revokeAll` has no block time in the state; it counts from when it was issued.
 *
 * @returns undefined when it was never granted.
 * @throws StateProofError
 */
export function provenIntervals(
  state: ContractState,
  { grantor, id }: ConsentRef,
  proof: ConsentProof,
): Interval[] | undefined {
  const entry = unpackEntry(provenSlot(state.storageRoot, entrySlot(grantor, id), proof.entry));
  const endedBefore = Number(BigInt(provenSlot(state.storageRoot, endedBeforeSlot(grantor), proof.endedBefore)));
  const { issuedAt, grantedAt, revokedAt } = entry;
  if (grantedAt === 0) return undefined;
  const endedByAll = issuedAt <= endedBefore ? Math.max(grantedAt, endedBefore) : Infinity;
  const until = Math.min(revokedAt === 0 ? Infinity : revokedAt, endedByAll);
  if (until === Infinity) return [{ from: grantedAt }];
  return until > grantedAt ? [{ from: grantedAt, until }] : [];
}
