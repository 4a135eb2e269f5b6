import { concat } from "../bytes/bytes.ts";
import { entryLeaf, type Entry } from "../log/checkpoint.ts";
import type { Chunk } from "../log/chunk.ts";
import { encodeObservation, leafSalts, observationLeaves } from "../log/leaf.ts";
import { inclusionProof, leafHash, MerkleTree, verifyInclusion } from "../log/merkle.ts";
import type { Observation } from "../observation/observation.ts";
import type { Found } from "./archive.ts";

/** Shows that an observation is leaf `index` of `count` under the root that its signer signed. */
export interface LeafProof {
  readonly observation: Observation;
  /** 16 bytes; of the other leaves' salts it says nothing. */
  readonly salt: Uint8Array;
  readonly index: number;
  readonly count: number;
  readonly path: readonly Uint8Array[];
}

/** Shows that an entry is in the checkpoint whose root was anchored. */
export interface EntryProof {
  readonly entry: Entry;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
}

/** Proofs of every observation of a chunk, in order. */
export function proveChunk({ seed, observations }: Chunk): LeafProof[] {
  const tree = new MerkleTree(observationLeaves(seed, observations));
  const salts = leafSalts(seed, observations.length);
  return observations.map((observation, index) => ({
    observation,
    salt: salts[index] as Uint8Array,
    index,
    count: tree.size,
    path: tree.inclusionProof(index),
  }));
}

/** @param root - From the opened header: the signed root of the chunk. */
export function verifyLeaf({ observation, salt, index, count, path }: LeafProof, root: Uint8Array): boolean {
  return verifyInclusion(leafHash(concat(salt, encodeObservation(observation))), index, count, path, root);
}

export function proveEntry({ entry, index, checkpoint }: Found): EntryProof {
  return {
    entry,
    index,
    size: checkpoint.entries.length,
    path: inclusionProof(checkpoint.entries.map(entryLeaf), index),
  };
}

/** @param root - As RecordAnchor has it. */
export const verifyEntry = ({ entry, index, size, path }: EntryProof, root: Uint8Array): boolean =>
  verifyInclusion(entryLeaf(entry), index, size, path, root);
