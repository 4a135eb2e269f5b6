import { fromMerkleStateProof } from "@ethereumjs/statemanager";
import { createAddressFromString } from "@ethereumjs/util";
import { hex0x } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import type { Deployment } from "./deployment.ts";
import { ChainUnavailableError, NodeLiesError, StateDiffersError } from "./errors.ts";
import { endedBeforeAfter, entryAfter } from "./ledger-state.ts";
import type { LedgerEvent, LedgerStore, SyncedBlock } from "./ledger-store.ts";
import { askPlain, needBlock, toQuantity, type Rpc } from "./rpc.ts";
import { storageRoot } from "./storage-root.ts";
import { endedBeforeSlot, entrySlot, packEntry, word } from "./storage.ts";

/**
 * Checks that the ledger is in the state that the chain is in: rebuilds the registry's whole storage from its final
 * events and compares the root with that in the state of the final block (EIP-1186). The node learns nothing: it is asked
 * for the account, not for a slot.
 *
 * What is left to trust is the hash of that block; compare it with another node's. A grant or `revokeAll` that a later one
 * has replaced is no longer in the state, so the history before the last event of each kind rests on the node's word.
 *
 * @returns the final block that the ledger was checked at.
 * @throws NodeLiesError when events and state differ, ChainUnavailableError when the node gives no proof.
 */
export async function attestLedger(
  rpc: Rpc,
  deployment: Deployment,
  store: LedgerStore,
): Promise<{ readonly block: number; readonly hash: Hex }> {
  const final = [...store.blocks()].find(({ number }) => number <= store.finalBlock);
  if (final === undefined) throw new ChainUnavailableError("no block is final yet");
  await attestBlock(rpc, deployment, store, final);
  return { block: final.number, hash: final.hash };
}

/**
 * The same for one of the ledger's blocks, such as the newest: a node that keeps back an end is caught, unless it forges the state as well.
 *
 * @throws NodeLiesError, ChainUnavailableError
 */
export async function attestBlock(
  rpc: Rpc,
  deployment: Deployment,
  store: LedgerStore,
  { number, hash }: Pick<SyncedBlock, "number" | "hash">,
): Promise<void> {
  const header = await needBlock(rpc, number);
  if (header.hash !== hash) throw new NodeLiesError("a block of the ledger has changed");
  const { address, codeHash } = deployment.contracts.ConsentRegistry;
  const account = await readAccount(rpc, address, number, header.stateRoot);
  if (account.codeHash !== codeHash) throw new NodeLiesError("the registry's code is not the pinned one");
  if (account.storageRoot !== storageRoot(storageOf(store, number))) throw new StateDiffersError();
}

/** Every slot of the registry after the events up to a block. */
export function storageOf(store: LedgerStore, block: number): Map<Hex, Hex> {
  const byKey = new Map<string, LedgerEvent[]>();
  for (const event of store.eventsUntil(block)) {
    const key = event.grantor + (event.consentId ?? "");
    const events = byKey.get(key);
    if (events === undefined) byKey.set(key, [event]);
    else events.push(event);
  }
  const slots = new Map<Hex, Hex>();
  for (const events of byKey.values()) {
    const { grantor, consentId } = events[0] as LedgerEvent;
    if (consentId === undefined) slots.set(endedBeforeSlot(grantor), word(endedBeforeAfter(events)));
    else slots.set(entrySlot(grantor, consentId), packEntry(entryAfter(events)));
  }
  return slots;
}

async function readAccount(
  rpc: Rpc,
  address: Hex,
  block: number,
  stateRoot: Hex,
): Promise<{ readonly codeHash: Hex; readonly storageRoot: Hex }> {
  const proof = await askPlain(rpc, "eth_getProof", [address, [], toQuantity(block)]);
  try {
    const state = await fromMerkleStateProof(proof as Parameters<typeof fromMerkleStateProof>[0], true);
    if (hex0x(await state.getStateRoot()) !== stateRoot) throw new NodeLiesError("a proof is of another state");
    const account = await state.getAccount(createAddressFromString(address));
    return {
      codeHash: hex0x(account?.codeHash ?? new Uint8Array()),
      storageRoot: hex0x(account?.storageRoot ?? new Uint8Array()),
    };
  } catch (error) {
    if (error instanceof NodeLiesError) throw error;
    throw new NodeLiesError("a proof of the registry's account does not hold");
  }
}
