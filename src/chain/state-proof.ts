import { keccak256, type RlpStructuredData } from "ethers";
import { isBytes32, type Hex } from "../consent/consent.ts";
import { ChainUnavailableError, NodeLiesError, StateProofError } from "./errors.ts";
import { decodeShortest } from "./rlp.ts";
import { askPlain, toQuantity, type BlockHeader, type Rpc } from "./rpc.ts";
import { word } from "./storage.ts";
import { provenValue } from "./trie-proof.ts";

/** Nodes of a state trie from the root down, each the RLP as hex. */
export type TrieNodes = readonly Hex[];

/** What an account proof says of a contract. */
export interface ContractState {
  readonly codeHash: Hex;
  readonly storageRoot: Hex;
}

/**
 * A contract in the state of a block.
 *
 * @param header - Of a block that the caller trusts to be part of the chain.
 * @throws StateProofError
 */
export function provenContract(header: Pick<BlockHeader, "stateRoot">, address: Hex, nodes: TrieNodes): ContractState {
  const account = provenValue(header.stateRoot, keccak256(address) as Hex, nodes);
  if (account === undefined) throw new StateProofError("there is no such contract");
  const [, , storageRoot, codeHash] = listOf(account);
  if (!isBytes32(storageRoot) || !isBytes32(codeHash)) throw new StateProofError("an account is none");
  return { codeHash, storageRoot };
}

/** The word in a slot of a contract; zero when the proof shows that there is none. @throws StateProofError */
export function provenSlot(storageRoot: Hex, slot: Hex, nodes: TrieNodes): Hex {
  const value = provenValue(storageRoot, keccak256(slot) as Hex, nodes);
  if (value === undefined) return word(0);
  const content = decodeShortest(value, "a slot");
  if (typeof content !== "string" || content.length > 66) throw new StateProofError("a slot is none");
  // anvil has slots of zero in its tries.
  return word(content === "0x" ? 0 : BigInt(content));
}

/**
 * Asks for the proofs of a contract and of slots of it (EIP-1186), and checks them.
 *
 * Warning: the node learns which slots matter.
 *
 * @throws NodeLiesError, ChainUnavailableError when the node gives no proof; many keep the state of the newest blocks only.
 */
export async function readProof(
  rpc: Rpc,
  header: BlockHeader,
  address: Hex,
  slots: readonly Hex[],
): Promise<{ readonly account: TrieNodes; readonly slots: readonly TrieNodes[]; readonly state: ContractState }> {
  const answer = (await askPlain(rpc, "eth_getProof", [address, slots, toQuantity(header.number)])) as {
    readonly accountProof?: TrieNodes;
    readonly storageProof?: readonly { readonly proof?: TrieNodes }[];
  } | null;
  if (!answer?.accountProof) throw new ChainUnavailableError("the node gives no proof of its state");
  const account = answer.accountProof;
  const proofs = slots.map((_, i) => answer.storageProof?.[i]?.proof ?? []);
  try {
    const state = provenContract(header, address, account);
    slots.forEach((slot, i) => provenSlot(state.storageRoot, slot, proofs[i] as TrieNodes));
    return { account, slots: proofs, state };
  } catch (error) {
    if (!(error instanceof StateProofError)) throw error;
    throw new NodeLiesError(error.message);
  }
}

function listOf(rlp: Hex): readonly RlpStructuredData[] {
  const list = decodeShortest(rlp, "an account");
  if (Array.isArray(list) && list.length === 4) return list;
  throw new StateProofError("an account is none");
}
