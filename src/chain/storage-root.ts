import { encodeRlp, keccak256, type RlpStructuredData } from "ethers";
import type { Hex } from "../consent/consent.ts";

/** A key of the trie as hex digits without 0x, and the RLP of its value. */
type Item = readonly [path: string, value: string];

/**
 * Root of an account's storage trie (Yellow Paper, appendix D): a Merkle Patricia trie over keccak256(slot).
 *
 * @param slots - 32-byte slots and their 32-byte values; zero values are absent from a trie.
 */
export function storageRoot(slots: ReadonlyMap<Hex, Hex>): Hex {
  const items = itemsOf(slots);
  return keccak256(items.length === 0 ? "0x80" : encodeRlp(node(items, 0))) as Hex;
}

/** The nodes from the root of that trie to a slot, or to where its path ends when it is absent: what `eth_getProof` answers. */
export function storageProof(slots: ReadonlyMap<Hex, Hex>, slot: Hex): Hex[] {
  const path = keccak256(slot).slice(2);
  const nodes: Hex[] = [];
  let items = itemsOf(slots);
  let depth = 0;
  while (items.length > 0) {
    nodes.push(encodeRlp(node(items, depth)) as Hex);
    if (items.length === 1) break;
    const shared = sharedDigits(items, depth);
    if (shared === depth) {
      items = items.filter(([key]) => key[depth] === path[depth]);
      depth += 1;
    } else {
      if (!path.startsWith((items[0] as Item)[0].slice(depth, shared), depth)) break;
      depth = shared;
    }
  }
  return nodes;
}

/** Sorted by path. */
function itemsOf(slots: ReadonlyMap<Hex, Hex>): Item[] {
  const items: Item[] = [];
  for (const [slot, value] of slots) {
    const trimmed = value.replace(/^0x(00)*/, "");
    if (trimmed !== "") items.push([keccak256(slot).slice(2), encodeRlp(`0x${trimmed}`)]);
  }
  return items.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** In how many digits, at least `depth`, two or more sorted items agree. */
function sharedDigits(items: readonly Item[], depth: number): number {
  const [first, last] = [items[0] as Item, items.at(-1) as Item];
  let shared = depth;
  while (first[0][shared] === last[0][shared]) shared++;
  return shared;
}

/** The node over sorted items that agree in their first `depth` digits. */
function node(items: readonly Item[], depth: number): RlpStructuredData {
  const first = items[0] as Item;
  if (items.length === 1) return [hexPrefix(first[0].slice(depth), true), first[1]];
  const shared = sharedDigits(items, depth);
  if (shared > depth) return [hexPrefix(first[0].slice(depth, shared), false), reference(node(items, shared))];
  const branch: RlpStructuredData[] = Array.from({ length: 17 }, () => "0x");
  for (let start = 0; start < items.length;) {
    const digit = (items[start] as Item)[0][depth];
    let end = start + 1;
    while (items[end]?.[0][depth] === digit) end++;
    branch[Number.parseInt(digit as string, 16)] = reference(node(items.slice(start, end), depth + 1));
    start = end;
  }
  return branch;
}

/** A node of under 32 bytes stands for itself, a longer one is named by its hash. */
function reference(child: RlpStructuredData): RlpStructuredData {
  const encoded = encodeRlp(child);
  return encoded.length < 2 + 64 ? child : keccak256(encoded);
}

/** Yellow Paper, appendix C. */
function hexPrefix(digits: string, leaf: boolean): Hex {
  const flag = (leaf ? 2 : 0) + (digits.length % 2);
  return digits.length % 2 === 1 ? `0x${flag}${digits}` : `0x${flag}0${digits}`;
}
