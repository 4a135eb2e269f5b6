import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { create as multihash } from "multiformats/hashes/digest";
import { sha256 } from "../../bytes/hash.ts";
import { SHA2_256 } from "../cid.ts";
import { remove, type NodeParts } from "../parts.ts";
import { cidArgument, cidFrom, flag, type Answer, type Command } from "./call.ts";
import { notFound, RpcError } from "./errors.ts";

const CODECS: Readonly<Record<string, number>> = { raw: raw.code, "dag-cbor": dagCbor.code };

/** `block/put`: one line a file. Durable when the line is written. */
export const put: Command = (node, { query, files }) => {
  const codec = codecNamed(query.get("cid-codec") ?? query.get("format") ?? "raw");
  requireSha256(query.get("mhtype"));
  const pin = flag(query, "pin", false);
  async function* lines(): AsyncGenerator<unknown> {
    for await (const bytes of files()) {
      const cid = await store(node, codec, bytes, pin);
      yield { Key: cid.toString(), Size: bytes.length };
    }
  }
  return Promise.resolve({ lines: lines() });
};

export const get: Command = async (node, { query }) => ({ bytes: await load(node, cidArgument(query)) });

export const stat: Command = async (node, { query }) => {
  const cid = cidArgument(query);
  const size = await node.blocks.size(cid);
  if (size === undefined) throw notFound(cid);
  return { json: { Key: cid.toString(), Size: size } };
};

/** `block/rm`: a line a block; a refusal stands in the line, as in Kubo. `force` passes over absent blocks. */
export const rm: Command = (node, { query }) => {
  const cids = query.getAll("arg").map(cidFrom);
  if (cids.length === 0) throw new RpcError("at least one argument expected", 400);
  const force = flag(query, "force", false);
  async function* lines(): AsyncGenerator<unknown> {
    for (const cid of cids) {
      const left = await node.lock.alone(() => remove(node, cid));
      const missing = force ? undefined : `ipld: could not find ${cid.toString()}`;
      const refusal = left === "absent" ? missing : left;
      yield { Hash: cid.toString(), ...(refusal === undefined ? {} : { Error: refusal }) };
    }
  }
  return Promise.resolve<Answer>({ lines: lines() });
};

/** Stores a block under its CID, and pins that when asked to. */
export async function store(node: NodeParts, codec: number, bytes: Uint8Array, pin: boolean): Promise<CID> {
  const cid = CID.createV1(codec, multihash(SHA2_256, sha256(bytes)));
  // Not by Helia's own `put`: that takes any file in place for the block, synced or not, damaged or not.
  if (!pin) {
    await node.lock.shared(() => node.blocks.put(cid, bytes));
    return cid;
  }
  await node.lock.alone(async () => {
    await node.blocks.put(cid, bytes);
    await node.pins.add(cid, true, undefined);
  });
  return cid;
}

export async function load(node: NodeParts, cid: CID): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of node.helia.blockstore.get(cid, { offline: true })) parts.push(part);
  return Buffer.concat(parts);
}

export function codecNamed(name: string): number {
  const code = Object.hasOwn(CODECS, name) ? CODECS[name] : undefined;
  if (code === undefined) throw new RpcError("this node stores the codecs raw and dag-cbor only", 400);
  return code;
}

export function requireSha256(name: string | null): void {
  if (name !== null && name !== "" && name !== "sha2-256") throw new RpcError("this node hashes by sha2-256 only", 400);
}
