import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { compare, equal } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { MalformedError } from "../errors.ts";
import { cidWith, digestIn, isRaw, rawCid } from "./cid.ts";

const FORMAT = "medseal-pinset";
const VERSION = 1;

/** The blocks of one checkpoint: what to pin so that any IPFS tool keeps them. By digest. */
export interface Pinset {
  readonly checkpoint: Uint8Array;
  /** Every other block that belongs to it, in any order; each counts once. */
  readonly blocks: readonly Uint8Array[];
}

export interface EncodedPinset {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/**
 * A pinset as a DAG-CBOR block that links to its blocks, see docs/formats.md.
 * Links are sorted by digest and unique, so the same blocks give the same CID.
 */
export function encodePinset(pinset: Pinset): EncodedPinset {
  const sorted = pinset.blocks
    .filter((digest) => !equal(digest, pinset.checkpoint))
    .sort(compare)
    .filter((digest, i, all) => i === 0 || compare(digest, all[i - 1] as Uint8Array) !== 0);
  const bytes = dagCbor.encode({
    format: FORMAT,
    version: VERSION,
    checkpoint: rawCid(pinset.checkpoint),
    links: sorted.map(rawCid),
  });
  return { cid: cidWith(dagCbor.code, sha256(bytes)), bytes };
}

/** @throws MalformedError for every block that `encodePinset` would not have made. */
export function decodePinset(bytes: Uint8Array): Pinset {
  const node = decodeMap(bytes);
  if (node["format"] !== FORMAT) malformed("it is of another format");
  if (node["version"] !== VERSION) malformed("unknown version");
  const { links } = node;
  if (!Array.isArray(links)) malformed("links expected");
  const pinset = { checkpoint: digestAt(node["checkpoint"]), blocks: links.map(digestAt) };
  // One encoding only: this refuses other keys, another order, a block listed twice and other CBOR for the same map.
  if (!equal(encodePinset(pinset).bytes, bytes)) malformed("not in its one encoding");
  return pinset;
}

function decodeMap(bytes: Uint8Array): Record<string, unknown> {
  try {
    const node = dagCbor.decode<unknown>(bytes);
    if (typeof node === "object" && node !== null) return node as Record<string, unknown>;
  } catch {
    return malformed("not DAG-CBOR");
  }
  return malformed("a map expected");
}

function digestAt(value: unknown): Uint8Array {
  const cid = CID.asCID(value);
  return cid !== null && isRaw(cid) ? digestIn(cid) : malformed("link to a raw block expected");
}

function malformed(problem: string): never {
  throw new MalformedError(FORMAT, 0, problem);
}
