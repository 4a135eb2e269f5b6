import { utf8 } from "../bytes/bytes.ts";
import { hmac } from "../bytes/hash.ts";

/** Levels below the root: a tree has 2^32 leaves, one an epoch. */
export const DEPTH = 32;

/** Epochs are 0 to 2^32 - 1. */
export const EPOCHS = 2 ** DEPTH;

const LEFT = utf8("medseal/v1/left");
const RIGHT = utf8("medseal/v1/right");
const EPOCH = utf8("medseal/v1/epoch");

/** One node of a key tree (GGM): opens the epochs `first` to `first + sizeOf(node) - 1`. */
export interface KeyNode {
  /** 0 for the root to 32 for a leaf. */
  readonly level: number;
  /** The first epoch below the node, a multiple of its size. */
  readonly first: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** The whole tree of a random root of 32 bytes. */
export function rootNode(root: Uint8Array): KeyNode {
  if (root.length !== 32) throw new RangeError("a tree root has 32 bytes");
  return { level: 0, first: 0, key: root };
}

/** How many epochs lie below the node. */
export const sizeOf = (node: KeyNode): number => 2 ** (DEPTH - node.level);

/** The half of an inner node in which the epoch lies. */
export const childTowards = (node: KeyNode, epoch: number): KeyNode =>
  epoch < node.first + sizeOf(node) / 2 ? leftOf(node) : rightOf(node);

/** The key of the leaf's epoch: a one-way output, so that who has it has no node of the tree. */
export function epochKeyOf(leaf: KeyNode): Uint8Array {
  if (leaf.level !== DEPTH) throw new RangeError("only a leaf has an epoch key");
  return hmac(leaf.key, EPOCH);
}

/** The first half of an inner node. One-way: a half gives back neither the node nor the other half. */
export const leftOf = (node: KeyNode): KeyNode => ({
  level: node.level + 1,
  first: node.first,
  key: hmac(node.key, LEFT),
});

/** The second half of an inner node. */
export const rightOf = (node: KeyNode): KeyNode => ({
  level: node.level + 1,
  first: node.first + sizeOf(node) / 2,
  key: hmac(node.key, RIGHT),
});
