import type { CID } from "multiformats/cid";
import { MedSealError } from "../errors.ts";
import { NotFoundError } from "./blocks.ts";
import { CheckedStore } from "./checked.ts";
import { parseCid, rawCid } from "./cid.ts";
import { BlockAlteredError, BlockMissingError, BlockPinnedError, StoreUnavailableError } from "./errors.ts";
import { openParts, remove, type NodeParts } from "./parts.ts";
import { encodePinset, type Pinset } from "./pinset.ts";
import type { BlockStore, Pin } from "./store.ts";
import { LinkAlteredError, LinkMissingError } from "./walk.ts";

/** Milliseconds, as `KuboStore` has them: a disk that does not answer is an outage. */
const BLOCK_TIME = 30_000;
const PIN_TIME = 600_000;

/** A store in a folder of this machine: what the embedded node does, without its RPC, so without a socket. */
export class EmbeddedStore extends CheckedStore implements BlockStore {
  readonly #node: NodeParts;
  #closed: Promise<void> | undefined;

  private constructor(node: NodeParts) {
    super();
    this.#node = node;
  }

  /** @throws StoreUnavailableError when the folder cannot be had. */
  static async open(folder: string): Promise<EmbeddedStore> {
    try {
      return new EmbeddedStore(await openParts(folder));
    } catch (error) {
      throw new StoreUnavailableError("the embedded node does not start in its folder", { cause: error });
    }
  }

  async has(digest: Uint8Array): Promise<boolean> {
    const cid = rawCid(digest);
    return this.#attempt(cid, ({ blocks }) => blocks.has(cid));
  }

  async remove(digests: readonly Uint8Array[]): Promise<void> {
    for (const digest of digests) {
      const cid = rawCid(digest);
      const left = await this.#attempt(cid, (node) => node.lock.alone(() => remove(node, cid)));
      if (left !== undefined && left !== "absent") throw new BlockPinnedError(cid.toString());
    }
  }

  async putPinset(pinset: Pinset, name = "medseal"): Promise<string> {
    const { cid, bytes } = encodePinset(pinset);
    await this.putAs(cid, bytes);
    await this.#attempt(cid, ({ lock, pins }) => lock.alone(() => pins.add(cid, true, name)), PIN_TIME);
    return cid.toString();
  }

  async unpin(cid: string): Promise<void> {
    const root = parseCid(cid);
    await this.#attempt(root, ({ lock, pins }) => lock.alone(() => pins.remove(root)), PIN_TIME);
  }

  pins(): Promise<Pin[]> {
    return this.#attempt(undefined, async ({ pins }) => {
      const found: Pin[] = [];
      for await (const { cid, recursive, name } of pins.list())
        if (recursive) found.push({ cid: cid.toString(), name });
      return found;
    });
  }

  /** Takes nothing more, and lets what writes finish. */
  close(): Promise<void> {
    const { helia, lock } = this.#node;
    const stop = async (): Promise<void> => void (await helia.stop());
    return (this.#closed ??= within(BLOCK_TIME, lock.alone(stop)));
  }

  protected async store(cid: CID, block: Uint8Array): Promise<void> {
    await this.#attempt(cid, ({ lock, blocks }) => lock.shared(() => blocks.put(cid, block)));
  }

  protected fetch(cid: CID): Promise<Uint8Array> {
    return this.#attempt(cid, ({ blocks }) => blocks.read(cid));
  }

  protected confirm(): Promise<void> {
    return Promise.resolve();
  }

  /** The only place where failures of the node become errors of this layer. */
  async #attempt<T>(cid: CID | undefined, work: (node: NodeParts) => Promise<T>, time = BLOCK_TIME): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError("it was closed");
    try {
      return await within(time, work(this.#node));
    } catch (error) {
      throw failure(error, cid);
    }
  }
}

/** @throws StoreUnavailableError when it takes longer; it may end later. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailableError("its disk did not answer in time")), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function failure(error: unknown, cid: CID | undefined): MedSealError {
  if (error instanceof MedSealError) return error;
  const asked = cid?.toString();
  if (error instanceof LinkMissingError) return new BlockMissingError(error.cid.toString(), { cause: error });
  if (asked !== undefined && error instanceof NotFoundError) return new BlockMissingError(asked, { cause: error });
  if (asked !== undefined && error instanceof LinkAlteredError)
    return new BlockAlteredError(asked, undefined, { cause: error });
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  return new StoreUnavailableError(code ?? "it gave no usable answer", {
    ...(asked === undefined ? {} : { cid: asked }),
    cause: error,
  });
}
