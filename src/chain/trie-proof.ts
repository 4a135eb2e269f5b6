import { keccak256, type RlpStructuredData } from "ethers";
import type { Hex } from "../consent/consent.ts";
import { StateProofError } from "./errors.ts";
import { decodeShortest } from "./rlp.ts";

/** Hash of the root of a trie without entries. */
const EMPTY_ROOT = keccak256("0x80");

/**
 * The value under a key in a Merkle Patricia trie (Yellow Paper, appendix D), or undefined when the proof shows that there is none.
 *
 * The tries of Ethereum's state hash their keys, so a node short enough to stand inside its parent (under 32 bytes) takes a path
 * of over 16 digits shared by two hashes; such a proof is refused.
 *
 * @param key - 32 bytes, hashed already.
 * @param nodes - From the root down; each is used, or the proof is refused.
 * @returns the RLP of the value.
 * @throws StateProofError
 */
export function provenValue(root: Hex, key: Hex, nodes: readonly Hex[]): Hex | undefined {
  if (root === EMPTY_ROOT && isEmpty(nodes)) return undefined;
  const digits = key.slice(2);
  let expected: RlpStructuredData = root;
  let depth = 0;
  for (const [i, encoded] of nodes.entries()) {
    if (keccak256(encoded) !== expected) throw new StateProofError("a node is not the one that its parent names");
    const isLast = i === nodes.length - 1;
    const next = step(decodeShortest(encoded, "a node"), digits, depth);
    if (!("child" in next)) {
      if (!isLast) throw new StateProofError("it goes on behind its end");
      return next.value;
    }
    expected = next.child;
    depth = next.depth;
  }
  throw new StateProofError("it ends too early");
}

/** Some nodes show the root that stands for no entries. */
const isEmpty = (nodes: readonly Hex[]): boolean => nodes.length === 0 || (nodes.length === 1 && nodes[0] === "0x80");

type Step = { readonly value: Hex | undefined } | { readonly child: Hex; readonly depth: number };

/** Where the path goes on below a node, or what it ends with. */
function step(node: RlpStructuredData, digits: string, depth: number): Step {
  if (!Array.isArray(node)) throw new StateProofError("a node is no list");
  if (node.length === 17) {
    const child = text(node[Number.parseInt(digits[depth] ?? "", 16)]);
    return child === "0x" ? { value: undefined } : { child: hash(child), depth: depth + 1 };
  }
  if (node.length !== 2) throw new StateProofError("a node has neither 2 nor 17 items");
  const { path, leaf } = unpacked(text(node[0]));
  const fits = digits.startsWith(path, depth);
  if (leaf) {
    if (path.length !== digits.length - depth) throw new StateProofError("a leaf ends at another depth");
    return { value: fits ? text(node[1]) : undefined };
  }
  return fits ? { child: hash(text(node[1])), depth: depth + path.length } : { value: undefined };
}

/** Yellow Paper, appendix C. */
function unpacked(prefixed: Hex): { path: string; leaf: boolean } {
  const flag = Number.parseInt(prefixed[2] ?? "", 16);
  const odd = flag % 2 === 1;
  if (!(flag < 4) || (!odd && prefixed[3] !== "0")) throw new StateProofError("a path has no such prefix");
  return { path: prefixed.slice(odd ? 3 : 4), leaf: flag >= 2 };
}

function text(item: RlpStructuredData | undefined): Hex {
  if (typeof item !== "string") throw new StateProofError("a node stands inside its parent");
  return item as Hex;
}

function hash(child: Hex): Hex {
  if (child.length !== 66) throw new StateProofError("a node names no other by its hash");
  return child;
}
