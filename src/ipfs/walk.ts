import type { GraphWalkerFactory } from "helia";
import type { BlockCodec, BlockView, Version } from "multiformats";
import { createUnsafe } from "multiformats/block";
import type { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { equal } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { NotFoundError } from "./blocks.ts";
import { SHA2_256 } from "./cid.ts";

/** A block on the way is not in the store. */
export class LinkMissingError extends NotFoundError {
  readonly cid: CID;

  constructor(cid: CID) {
    super("a linked block is missing");
    this.cid = cid;
  }
}

/** A block on the way has links and other bytes than its CID says, so where it leads is unknown. */
export class LinkAlteredError extends Error {
  override readonly name = "LinkAlteredError";
}

/**
 * Goes from a root along its links, each block once. Raw blocks link to nothing: they must be there but are not read.
 *
 * @throws LinkMissingError, LinkAlteredError.
 */
export const strictWalker: GraphWalkerFactory = ({ blockstore, getCodec }) => {
  const load = async (cid: CID): Promise<Uint8Array> => {
    if (!(await blockstore.has(cid))) throw new LinkMissingError(cid);
    if (cid.code === raw.code) return new Uint8Array(0);
    const parts: Uint8Array[] = [];
    for await (const part of blockstore.get(cid)) parts.push(part);
    const bytes = Buffer.concat(parts);
    const { code, digest } = cid.multihash;
    if (code === SHA2_256 && !equal(sha256(bytes), digest)) throw new LinkAlteredError("a linked block was altered");
    return bytes;
  };
  return {
    async *walk(root, options = {}) {
      const maximum = options.depth ?? Infinity;
      const seen = new Set([root.toString()]);
      const pending: CID[][] = [[root]];
      for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
        const cid = path.at(-1) ?? root;
        const codec = await getCodec<never>(cid.code);
        const block = createUnsafe<never, number, number, Version>({ cid, bytes: await load(cid), codec });
        yield { block, depth: path.length - 1, path };
        if (path.length > maximum) continue;
        for (const [, link] of block.links()) {
          const key = link.toString();
          if (seen.has(key)) continue;
          seen.add(key);
          pending.push([...path, link]);
        }
      }
    },
  };
};

const leaf: BlockCodec<number, unknown> = raw;

/** Visits the given blocks, in the store or not, as raw ones. */
export const listWalker =
  (cids: readonly CID[]): GraphWalkerFactory =>
  () => ({
    async *walk() {
      for (const cid of cids) {
        const block = createUnsafe({ cid, bytes: new Uint8Array(0), codec: leaf }) as BlockView<never>;
        yield await Promise.resolve({ block, depth: 0, path: [cid] });
      }
    },
  });
