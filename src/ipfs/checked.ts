import type { CID } from "multiformats/cid";
import { equal } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { parseCid, rawCid } from "./cid.ts";
import { BlockAlteredError, BlockTooBigError } from "./errors.ts";
import { parallel } from "./parallel.ts";
import { decodePinset, type Pinset } from "./pinset.ts";
import { MAX_BLOCK } from "./store.ts";

const IN_FLIGHT = 8;

/** What stores over a node have in common: what is put is read back, and what is read is hashed. */
export abstract class CheckedStore {
  async put(block: Uint8Array): Promise<Uint8Array> {
    const digest = sha256(block);
    await this.putAs(rawCid(digest), block);
    return digest;
  }

  putMany(blocks: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return parallel(blocks, IN_FLIGHT, (block) => this.put(block));
  }

  get(digest: Uint8Array): Promise<Uint8Array> {
    return this.#get(rawCid(digest));
  }

  async getPinset(cid: string): Promise<Pinset> {
    return decodePinset(await this.#get(parseCid(cid)));
  }

  protected async putAs(cid: CID, block: Uint8Array): Promise<void> {
    if (block.length > MAX_BLOCK) throw new BlockTooBigError(cid.toString(), block.length, MAX_BLOCK);
    await this.store(cid, block);
    await this.#get(cid);
  }

  async #get(cid: CID): Promise<Uint8Array> {
    const block = await this.fetch(cid);
    const foundDigest = sha256(block);
    if (equal(foundDigest, cid.multihash.digest)) return block;
    await this.confirm(cid);
    throw new BlockAlteredError(cid.toString(), block.length, { foundDigest });
  }

  protected abstract store(cid: CID, block: Uint8Array): Promise<void>;
  protected abstract fetch(cid: CID): Promise<Uint8Array>;
  /** Before a block is called altered. @throws when what answered with other bytes does not know the block. */
  protected abstract confirm(cid: CID): Promise<void>;
}
