import { createHash } from "node:crypto";
import { expect } from "chai";
import { equal, hex, utf8 } from "../../../src/bytes/bytes.ts";
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  merkleRoot,
  MerkleTree,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/log/merkle.ts";

const sha = (...parts: Uint8Array[]): Uint8Array =>
  new Uint8Array(parts.reduce((all, part) => all.update(part), createHash("sha256")).digest());

/** The largest power of two below n. */
const splitOf = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

/** RFC 9162, section 2.1.1, word for word. */
function rfcRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only, second] = leaves;
  if (only === undefined) return sha();
  if (second === undefined) return only;
  const k = splitOf(leaves.length);
  return sha(Uint8Array.of(1), rfcRoot(leaves.slice(0, k)), rfcRoot(leaves.slice(k)));
}

/** RFC 9162, section 2.1.3.1. */
function rfcPath(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = splitOf(leaves.length);
  return m < k
    ? [...rfcPath(m, leaves.slice(0, k)), rfcRoot(leaves.slice(k))]
    : [...rfcPath(m - k, leaves.slice(k)), rfcRoot(leaves.slice(0, k))];
}

/** RFC 9162, section 2.1.4.1. */
function rfcSubproof(m: number, leaves: readonly Uint8Array[], complete: boolean): Uint8Array[] {
  if (m === leaves.length) return complete ? [] : [rfcRoot(leaves)];
  const k = splitOf(leaves.length);
  return m <= k
    ? [...rfcSubproof(m, leaves.slice(0, k), complete), rfcRoot(leaves.slice(k))]
    : [...rfcSubproof(m - k, leaves.slice(k), false), rfcRoot(leaves.slice(0, k))];
}

const LEAVES = Array.from({ length: 40 }, (_, i) => leafHash(utf8(`entry ${i}`)));
const first = (size: number): Uint8Array[] => LEAVES.slice(0, size);
const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(3, (bytes[3] as number) ^ 4);

describe("Merkle trees of RFC 9162", () => {
  it("hashes leaves behind 0x00, and nothing to SHA-256 of nothing", () => {
    expect(leafHash(utf8("x"))).to.deep.equal(sha(Uint8Array.of(0), utf8("x")));
    expect(hex(emptyRoot())).to.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(merkleRoot([])).to.deep.equal(emptyRoot());
  });

  it("gives the root and every proof of the RFC's recursion, for every size up to 40", () => {
    for (let size = 1; size <= LEAVES.length; size++) {
      const tree = new MerkleTree(first(size));
      expect(tree.root).to.deep.equal(rfcRoot(first(size)));
      for (let i = 0; i < size; i++) {
        expect(tree.inclusionProof(i), `leaf ${i} of ${size}`).to.deep.equal(rfcPath(i, first(size)));
        expect(tree.consistencyProof(i + 1), `${i + 1} to ${size}`).to.deep.equal(
          rfcSubproof(i + 1, first(size), true),
        );
      }
    }
  });

  it("every leaf is provable, at its place and in its tree only", () => {
    for (let size = 1; size <= 17; size++) {
      const root = merkleRoot(first(size));
      first(size).forEach((leaf, i) => {
        const proof = inclusionProof(first(size), i);
        for (let index = 0; index <= size; index++) {
          expect(verifyInclusion(leaf, index, size, proof, root), `${i} of ${size} at ${index}`).to.equal(index === i);
        }
        expect(verifyInclusion(flipped(leaf), i, size, proof, root)).to.equal(false);
        expect(verifyInclusion(leaf, i, size, proof, flipped(root))).to.equal(false);
        expect(verifyInclusion(leaf, i, size, [...proof, leaf], root)).to.equal(false);
        proof.forEach((hash, k) => {
          expect(verifyInclusion(leaf, i, size, proof.with(k, flipped(hash)), root)).to.equal(false);
          expect(verifyInclusion(leaf, i, size, proof.toSpliced(k, 1), root)).to.equal(false);
        });
      });
    }
  });

  it("every earlier tree is the beginning of every later one, and of no other", () => {
    for (let size2 = 1; size2 <= 17; size2++) {
      const root2 = merkleRoot(first(size2));
      for (let size1 = 1; size1 <= size2; size1++) {
        const proof = consistencyProof(first(size2), size1);
        const root1 = merkleRoot(first(size1));
        const as = `${size1} to ${size2}`;
        expect(verifyConsistency(size1, size2, root1, root2, proof), as).to.equal(true);
        expect(verifyConsistency(size1, size2, flipped(root1), root2, proof), as).to.equal(false);
        expect(verifyConsistency(size1, size2, root1, flipped(root2), proof), as).to.equal(false);
        expect(verifyConsistency(size1, size2, root1, root2, [...proof, root1]), as).to.equal(false);
        proof.forEach((hash, k) => {
          expect(verifyConsistency(size1, size2, root1, root2, proof.with(k, flipped(hash))), as).to.equal(false);
          expect(verifyConsistency(size1, size2, root1, root2, proof.toSpliced(k, 1)), as).to.equal(false);
        });
      }
    }
  });

  it("refuses to show anything from an earlier tree of no leaves", () => {
    expect(verifyConsistency(0, 5, emptyRoot(), merkleRoot(first(5)), [])).to.equal(false);
    // A path that would fold to the later root, offered with the root it starts from.
    const [leaf] = LEAVES as [Uint8Array];
    const path = [leaf, ...inclusionProof(first(8), 0)];
    expect(verifyConsistency(1, 8, leaf, merkleRoot(first(8)), path.slice(1))).to.equal(true);
    expect(verifyConsistency(0, 8, leaf, merkleRoot(first(8)), path)).to.equal(false);
    expect(() => consistencyProof(first(5), 0)).to.throw(RangeError);
  });

  it("refuses sizes and indices that are no counts, and hashes of other lengths", () => {
    const [leaf] = LEAVES as [Uint8Array];
    for (const wrong of [-1, 0.5, NaN, 2 ** 53, 2 ** 64]) {
      expect(verifyInclusion(leaf, wrong, 1, [], leaf)).to.equal(false);
      expect(verifyInclusion(leaf, 0, wrong, [], leaf)).to.equal(false);
      expect(verifyConsistency(wrong, 1, leaf, leaf, [])).to.equal(false);
      expect(verifyConsistency(1, wrong, leaf, leaf, [])).to.equal(false);
    }
    const short = leaf.subarray(1);
    expect(verifyInclusion(short, 0, 1, [], short)).to.equal(false);
    expect(verifyConsistency(1, 1, short, short, [])).to.equal(false);
    expect(verifyInclusion(leaf, 0, 0, [], emptyRoot())).to.equal(false);
    expect(() => merkleRoot([short])).to.throw(RangeError);
    for (const index of [-1, 5, 0.5]) expect(() => inclusionProof(first(5), index)).to.throw(RangeError);
    expect(() => consistencyProof(first(5), 6)).to.throw(RangeError);
  });

  it("proves leaves of a tree of 100,001", () => {
    const leaves = Array.from({ length: 100_001 }, (_, i) => leafHash(utf8(`${i}`)));
    const tree = new MerkleTree(leaves);
    for (const i of [0, 1, 65_535, 65_536, 99_999, 100_000]) {
      const proof = tree.inclusionProof(i);
      expect(proof.length).to.be.at.most(17);
      expect(verifyInclusion(leaves[i] as Uint8Array, i, tree.size, proof, tree.root), `leaf ${i}`).to.equal(true);
    }
    const before = new MerkleTree(leaves.slice(0, 70_000));
    expect(verifyConsistency(70_000, tree.size, before.root, tree.root, tree.consistencyProof(70_000))).to.equal(true);
    expect(equal(before.root, tree.root)).to.equal(false);
  });
});
