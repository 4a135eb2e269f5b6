import { equal, fromHex } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import { decodeBlockHeader, readBlockHeader } from "./block-header.ts";
import type { Deployment } from "./deployment.ts";
import { ChainUnavailableError, CodeDiffersError, NodeLiesError, NotFinalYetError, StateProofError } from "./errors.ts";
import { readBlock, type BlockHeader, type Rpc } from "./rpc.ts";
import { provenContract, provenSlot, readProof, type TrieNodes } from "./state-proof.ts";
import { headSlot } from "./storage.ts";

/** The head of a gateway in the state of a block. */
export interface HeadProof {
  /** RLP of the block's header. */
  readonly block: Uint8Array;
  /** To the account of RecordAnchor. */
  readonly account: TrieNodes;
  /** To the gateway's slot in it. */
  readonly storage: TrieNodes;
}

/**
 * Asks for the proof of a gateway's head. A gateway's address is public; the block says nothing of what is proven as long as it is the final one.
 *
 * @param number - The newest final block without it.
 * @throws NotFinalYetError, ChainUnavailableError, NodeLiesError, CodeDiffersError.
 */
export async function proveHead(rpc: Rpc, deployment: Deployment, gateway: Hex, number?: number): Promise<HeadProof> {
  const final = await finalBlock(rpc);
  if (number !== undefined && number > final.number) throw new NotFinalYetError(number);
  const block = await readBlockHeader(rpc, number ?? final.number);
  const { address, codeHash } = deployment.contracts.RecordAnchor;
  const { account, slots, state } = await readProof(rpc, decodeBlockHeader(block), address, [headSlot(gateway)]);
  if (state.codeHash !== codeHash) throw new CodeDiffersError("RecordAnchor");
  return { block, account, storage: slots[0] ?? [] };
}

/** The head of a gateway in a block, by the state that the block's header names. @throws as `proveHead`. */
export async function provenHead(rpc: Rpc, deployment: Deployment, gateway: Hex, number: number): Promise<Uint8Array> {
  const header = decodeBlockHeader(await readBlockHeader(rpc, number));
  if (header.number !== number) throw new NodeLiesError("it shows another block than was asked for");
  const { address, codeHash } = deployment.contracts.RecordAnchor;
  const { slots, state } = await readProof(rpc, header, address, [headSlot(gateway)]);
  if (state.codeHash !== codeHash) throw new CodeDiffersError("RecordAnchor");
  return fromHex(provenSlot(state.storageRoot, headSlot(gateway), slots[0] ?? []));
}

/** @throws ChainUnavailableError when the node does not tell. */
export async function finalBlock(rpc: Rpc): Promise<BlockHeader> {
  const final = await readBlock(rpc, "finalized");
  if (final === undefined) throw new ChainUnavailableError("the node does not tell which block is final");
  return final;
}

/**
 * Checks that the gateway's head was `head` in the block, as a contract with the code found there kept it.
 *
 * @throws StateProofError
 */
export function checkHead(
  proof: HeadProof,
  anchor: Hex,
  gateway: Hex,
  head: Uint8Array,
): { readonly block: BlockHeader; readonly codeHash: Hex } {
  const block = decodeBlockHeader(proof.block);
  const { codeHash, storageRoot } = provenContract(block, anchor, proof.account);
  const found = provenSlot(storageRoot, headSlot(gateway), proof.storage);
  if (!equal(fromHex(found), head)) throw new StateProofError("the gateway had another head");
  return { block, codeHash };
}
