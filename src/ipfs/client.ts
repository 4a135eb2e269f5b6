import { create, type KuboRPCClient } from "ipfs-http-client";
import type { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { UsageError } from "../errors.ts";
import { CheckedStore } from "./checked.ts";
import { cidOf, parseCid, rawCid } from "./cid.ts";
import { BlockMissingError, StoreUnavailableError } from "./errors.ts";
import { isNotPinned, removalError, storeError } from "./failure.ts";
import { encodePinset, type Pinset } from "./pinset.ts";
import type { BlockStore, Pin } from "./store.ts";

const MIB = 1024 * 1024;

export interface KuboStoreOptions {
  /** How long one request for one block may take, in milliseconds. */
  readonly timeout?: number;
  /** How long pinning and unpinning a whole pinset may take, in milliseconds. */
  readonly pinTimeout?: number;
}

/** A store behind the Kubo RPC: a Kubo, or the embedded node, which answers the same calls. */
export class KuboStore extends CheckedStore implements BlockStore {
  readonly #rpc: KuboRPCClient;
  readonly #timeout: number;
  readonly #pinTimeout: number;

  /**
   * @param address - `http(s)://host:port`, with `user:password@` when the node asks for it, or a multiaddr.
   * @throws UsageError when that is not an address.
   */
  constructor(address: string, options: KuboStoreOptions = {}) {
    super();
    this.#rpc = connect(address);
    this.#timeout = options.timeout ?? 30_000;
    this.#pinTimeout = options.pinTimeout ?? 600_000;
  }

  async has(digest: Uint8Array): Promise<boolean> {
    try {
      await this.#stat(rawCid(digest));
      return true;
    } catch (error) {
      if (error instanceof BlockMissingError) return false;
      throw error;
    }
  }

  async remove(digests: readonly Uint8Array[]): Promise<void> {
    for (const digest of digests) {
      const cid = cidOf(digest);
      await attempt(cid, async () => {
        for await (const { error } of this.#rpc.block.rm(rawCid(digest), this.#bounds(this.#timeout))) {
          const refusal = removalError(error?.message ?? "", cid);
          if (refusal !== undefined) throw refusal;
        }
      });
    }
  }

  async putPinset(pinset: Pinset, name = "medseal"): Promise<string> {
    const { cid, bytes } = encodePinset(pinset);
    await this.putAs(cid, bytes);
    // Offline: what a pinset links to was put here before it; a missing block is to be told, not looked for elsewhere.
    const options = { ...this.#bounds(this.#pinTimeout), offline: true, recursive: true, name };
    await attempt(cid.toString(), () => this.#rpc.pin.add(cid, options));
    return cid.toString();
  }

  async unpin(cid: string): Promise<void> {
    const root = parseCid(cid);
    await attempt(cid, async () => {
      try {
        await this.#rpc.pin.rm(root, { ...this.#bounds(this.#pinTimeout), recursive: true });
      } catch (error) {
        if (!isNotPinned(error)) throw error;
      }
    });
  }

  pins(): Promise<Pin[]> {
    return attempt(undefined, async () => {
      const pins: Pin[] = [];
      const options = { ...this.#bounds(this.#pinTimeout), type: "recursive", names: true } as const;
      for await (const { cid, name } of this.#rpc.pin.ls(options)) pins.push({ cid: cid.toString(), name });
      return pins;
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Asks for the version. @throws StoreUnavailableError unless a node answers that speaks this RPC. */
  async check(): Promise<void> {
    const { version } = await attempt(undefined, () => this.#rpc.version(this.#bounds(this.#timeout)));
    if (typeof version !== "string") throw new StoreUnavailableError("what answers is not an IPFS node");
  }

  protected async store(cid: CID, block: Uint8Array): Promise<void> {
    const text = cid.toString();
    const options = {
      ...this.#bounds(this.#timeout),
      cidCodec: cid.code === raw.code ? "raw" : "dag-cbor",
      mhtype: "sha2-256",
      pin: false,
      // Kubo before 0.41 refuses more than 1 MiB without this.
      ...(block.length > MIB ? { allowBigBlock: true } : {}),
    };
    const stored = await attempt(text, () => this.#rpc.block.put(block, options));
    if (!stored.equals(cid)) throw new StoreUnavailableError("it stored a block under another CID", { cid: text });
  }

  protected fetch(cid: CID): Promise<Uint8Array> {
    const options = { ...this.#bounds(this.#timeout), offline: true };
    return attempt(cid.toString(), () => this.#rpc.block.get(cid, options));
  }

  /** Only a node that knows the block can have an altered one; a wrong address answers with bytes of its own. */
  protected confirm(cid: CID): Promise<void> {
    return this.#stat(cid);
  }

  async #stat(cid: CID): Promise<void> {
    const text = cid.toString();
    const options = { ...this.#bounds(this.#timeout), offline: true };
    const known = await attempt(text, () => this.#rpc.block.stat(cid, options));
    if (!known.cid.equals(cid)) throw new StoreUnavailableError("what answers is not an IPFS node", { cid: text });
  }

  #bounds(milliseconds: number): { signal: AbortSignal; timeout: number } {
    return { signal: AbortSignal.timeout(milliseconds), timeout: milliseconds };
  }
}

/** The only place where failures of the RPC become errors of this layer. */
async function attempt<T>(cid: string | undefined, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw storeError(error, cid);
  }
}

/** `fetch` takes no credentials in a URL, so they go into a header. */
function connect(address: string): KuboRPCClient {
  try {
    if (address.startsWith("/")) return create(address);
    const url = new URL(address);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError("not http");
    const credentials = [url.username, url.password].map(decodeURIComponent).join(":");
    url.username = url.password = "";
    if (credentials === ":") return create({ url });
    return create({ url, headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` } });
  } catch {
    throw new UsageError("the IPFS address is neither an http(s) URL nor a multiaddr", {
      hint: "MEDSEAL_IPFS=http://127.0.0.1:5001",
    });
  }
}
