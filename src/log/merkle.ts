import { equal } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { hashPairs } from "../bytes/sha256-many.ts";

export const DIGEST = 32;
/** Stands before the entry that a leaf hash is of. */
export const LEAF = 0x00;
const NODE = 0x01;

/** RFC 9162, section 2.1.1: SHA-256(0x00 ‖ entry), 32 bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length);
  input[0] = LEAF;
  input.set(entry, 1);
  return sha256(input);
}

/** RFC 9162, section 2.1.1: the root of no leaves, SHA-256 of nothing. */
export const emptyRoot = (): Uint8Array => sha256(new Uint8Array(0));

/**
 * A Merkle tree (RFC 9162, section 2.1) with all its inner hashes at hand, for many proofs over one list.
 *
 * Level k holds the hashes of runs of 2^k leaves; a last run that has no right neighbour rises unchanged, which gives the tree of the RFC.
 */
export class MerkleTree {
  readonly size: number;
  /** Each level as one flat array of digests, from the leaves to the root. */
  readonly #levels: Buffer[] = [];

  /** @param leafHashes - 32 bytes each, see `leafHash`. */
  constructor(leafHashes: readonly Uint8Array[]) {
    this.size = leafHashes.length;
    let level = flat(leafHashes);
    this.#levels.push(level);
    while (level.length > DIGEST) {
      const above = Buffer.allocUnsafe(Math.ceil(level.length / DIGEST / 2) * DIGEST);
      rise(level, above);
      this.#levels.push((level = above));
    }
  }

  get root(): Uint8Array {
    return this.size === 0 ? emptyRoot() : this.#node(this.#levels.length - 1, 0);
  }

  /** RFC 9162, section 2.1.3.1: the hashes beside the path from the leaf up. */
  inclusionProof(index: number): Uint8Array[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) throw new RangeError("no leaf has this index");
    const proof: Uint8Array[] = [];
    for (let k = 0, i = index; k < this.#levels.length - 1; k++, i = Math.floor(i / 2)) {
      const sibling = i % 2 === 0 ? i + 1 : i - 1;
      if (sibling * DIGEST < (this.#levels[k] as Uint8Array).length) proof.push(this.#node(k, sibling));
    }
    return proof;
  }

  /** RFC 9162, section 2.1.4.1: shows that the first `size1` leaves, 1 to all, are the tree of before. */
  consistencyProof(size1: number): Uint8Array[] {
    if (!Number.isInteger(size1) || size1 < 1 || size1 > this.size)
      throw new RangeError("no earlier tree has this size");
    if (size1 === this.size) return [];
    // The last run of leaves that was complete in the earlier tree: the proof starts from it and rises like an inclusion proof.
    let k = 0;
    let i = size1 - 1;
    while (i % 2 === 1) {
      i = (i - 1) / 2;
      k++;
    }
    const proof = i === 0 ? [] : [this.#node(k, i)];
    for (; k < this.#levels.length - 1; k++, i = Math.floor(i / 2)) {
      const sibling = i % 2 === 0 ? i + 1 : i - 1;
      if (sibling * DIGEST < (this.#levels[k] as Uint8Array).length) proof.push(this.#node(k, sibling));
    }
    return proof;
  }

  #node(level: number, i: number): Uint8Array {
    return new Uint8Array((this.#levels[level] as Buffer).subarray(i * DIGEST, (i + 1) * DIGEST));
  }
}

export const merkleRoot = (leafHashes: readonly Uint8Array[]): Uint8Array => flatRoot(flat(leafHashes));

/** The root over leaf hashes that lie one behind the other, which are overwritten. */
export function flatRoot(leafHashes: Buffer): Uint8Array {
  if (leafHashes.length === 0) return emptyRoot();
  let level = leafHashes;
  while (level.length > DIGEST) level = level.subarray(0, rise(level, level));
  return new Uint8Array(level);
}

function flat(leafHashes: readonly Uint8Array[]): Buffer {
  const level = Buffer.allocUnsafe(leafHashes.length * DIGEST);
  leafHashes.forEach((leaf, i) => {
    if (leaf.length !== DIGEST) throw new RangeError("a leaf hash has 32 bytes");
    level.set(leaf, i * DIGEST);
  });
  return level;
}

/** For more than one proof over a list keep the `MerkleTree`. */
export const inclusionProof = (leafHashes: readonly Uint8Array[], index: number): Uint8Array[] =>
  new MerkleTree(leafHashes).inclusionProof(index);

export const consistencyProof = (leafHashes: readonly Uint8Array[], size1: number): Uint8Array[] =>
  new MerkleTree(leafHashes).consistencyProof(size1);

/** RFC 9162, section 2.1.3.2: whether the leaf stands at `index` of the tree of `size` leaves with this root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || ![leaf, ...proof].every(isDigest)) return false;
  let node = leaf;
  let [i, last] = [index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (i % 2 === 1 || i === last) {
      node = parent(sibling, node);
      while (i % 2 === 0 && i !== 0) [i, last] = [half(i), half(last)];
    } else {
      node = parent(node, sibling);
    }
    [i, last] = [half(i), half(last)];
  }
  return last === 0 && equal(node, root);
}

/** RFC 9162, section 2.1.4.2: whether the tree of `size1` leaves is the beginning of that of `size2`. A `size1` of 0 shows nothing and is refused. */
export function verifyConsistency(
  size1: number,
  size2: number,
  root1: Uint8Array,
  root2: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isCount(size1) || !isCount(size2) || size1 === 0 || size1 > size2 || !proof.every(isDigest)) return false;
  if (size1 === size2) return proof.length === 0 && isDigest(root1) && equal(root1, root2);
  let [i, last] = [size1 - 1, size2 - 1];
  while (i % 2 === 1) [i, last] = [half(i), half(last)];
  const [first, ...rest] = i === 0 ? [root1, ...proof] : proof;
  if (first === undefined) return false;
  let [before, after] = [first, first];
  for (const hashed of rest) {
    if (last === 0) return false;
    if (i % 2 === 1 || i === last) {
      before = parent(hashed, before);
      after = parent(hashed, after);
      while (i % 2 === 0 && i !== 0) [i, last] = [half(i), half(last)];
    } else {
      after = parent(after, hashed);
    }
    [i, last] = [half(i), half(last)];
  }
  return last === 0 && equal(before, root1) && equal(after, root2);
}

/** Writes the level above into `above`, which may be the level itself. @returns its length in bytes. */
function rise(level: Buffer, above: Buffer): number {
  const pairs = Math.floor(level.length / (2 * DIGEST));
  hashPairs(above, level, pairs);
  const end = pairs * 2 * DIGEST;
  return pairs * DIGEST + level.copy(above, pairs * DIGEST, end);
}

function parent(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * DIGEST);
  input[0] = NODE;
  input.set(left, 1);
  input.set(right, 1 + DIGEST);
  return sha256(input);
}

/** Sizes go beyond 32 bits, where shifts would wrap. */
const half = (value: number): number => Math.floor(value / 2);

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

const isDigest = (bytes: Uint8Array): boolean => bytes.length === DIGEST;
