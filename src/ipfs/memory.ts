import { equal, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { cidOf, digestIn, parseCid } from "./cid.ts";
import { BlockAlteredError, BlockMissingError, BlockPinnedError, BlockTooBigError } from "./errors.ts";
import { decodePinset, encodePinset, type Pinset } from "./pinset.ts";
import { MAX_BLOCK, type BlockStore, type Pin } from "./store.ts";

/** A store that lasts as long as the object: for tests, and for looking before anything is kept. */
export class MemoryStore implements BlockStore {
  readonly #blocks = new Map<string, Uint8Array>();
  readonly #pins = new Map<string, string>();

  async put(block: Uint8Array): Promise<Uint8Array> {
    const digest = sha256(block);
    if (block.length > MAX_BLOCK) throw new BlockTooBigError(cidOf(digest), block.length, MAX_BLOCK);
    this.#blocks.set(hex(digest), block.slice());
    return Promise.resolve(digest);
  }

  putMany(blocks: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return Promise.all(blocks.map((block) => this.put(block)));
  }

  async get(digest: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.#load(digest, cidOf(digest)));
  }

  has(digest: Uint8Array): Promise<boolean> {
    return Promise.resolve(this.#blocks.has(hex(digest)));
  }

  async remove(digests: readonly Uint8Array[]): Promise<void> {
    for (const digest of digests) {
      if (this.#isPinned(digest)) throw new BlockPinnedError(cidOf(digest));
      this.#blocks.delete(hex(digest));
      await Promise.resolve();
    }
  }

  async putPinset(pinset: Pinset, name = "medseal"): Promise<string> {
    const { cid, bytes } = encodePinset(pinset);
    for (const digest of [pinset.checkpoint, ...pinset.blocks]) {
      if (!(await this.has(digest))) throw new BlockMissingError(cidOf(digest));
    }
    await this.put(bytes);
    this.#pins.set(cid.toString(), name);
    return cid.toString();
  }

  async getPinset(cid: string): Promise<Pinset> {
    return Promise.resolve(decodePinset(this.#load(digestIn(parseCid(cid)), cid)));
  }

  async unpin(cid: string): Promise<void> {
    this.#pins.delete(parseCid(cid).toString());
    return Promise.resolve();
  }

  pins(): Promise<Pin[]> {
    return Promise.resolve([...this.#pins].map(([cid, name]) => ({ cid, name })));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Exchanges the bytes kept under a digest for others, as a broken or malicious store would. */
  alter(digest: Uint8Array, bytes: Uint8Array): void {
    this.#blocks.set(hex(digest), bytes.slice());
  }

  #load(digest: Uint8Array, cid: string): Uint8Array {
    const block = this.#blocks.get(hex(digest));
    if (block === undefined) throw new BlockMissingError(cid);
    const foundDigest = sha256(block);
    if (!equal(foundDigest, digest)) throw new BlockAlteredError(cid, block.length, { foundDigest });
    return block.slice();
  }

  #isPinned(digest: Uint8Array): boolean {
    return [...this.#pins.keys()].some((cid) => {
      const root = digestIn(parseCid(cid));
      if (equal(root, digest)) return true;
      const { checkpoint, blocks } = decodePinset(this.#load(root, cid));
      return [checkpoint, ...blocks].some((held) => equal(held, digest));
    });
  }
}
