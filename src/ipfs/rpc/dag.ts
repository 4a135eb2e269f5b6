import * as dagCbor from "@ipld/dag-cbor";
import { cidArgument, flag, type Command } from "./call.ts";
import { codecNamed, load, requireSha256, store } from "./block.ts";
import { RpcError } from "./errors.ts";

/** `dag/put` of a node that is encoded already: nothing is converted between codecs here. */
export const put: Command = (node, { query, files }) => {
  const codec = codecNamed(query.get("store-codec") ?? "dag-cbor");
  if (codecNamed(query.get("input-codec") ?? "dag-json") !== codec) {
    throw new RpcError("this node converts no codecs: input-codec and store-codec must be equal", 400);
  }
  requireSha256(query.get("hash"));
  const pin = flag(query, "pin", false);
  async function* lines(): AsyncGenerator<unknown> {
    for await (const bytes of files()) {
      if (codec === dagCbor.code) requireDagCbor(bytes);
      const cid = await store(node, codec, bytes, pin);
      yield { Cid: { "/": cid.toString() } };
    }
  }
  return Promise.resolve({ lines: lines() });
};

/** `dag/get` in the codec that the node has. */
export const get: Command = async (node, { query }) => {
  const cid = cidArgument(query);
  if (codecNamed(query.get("output-codec") ?? "dag-json") !== cid.code) {
    throw new RpcError("this node converts no codecs: output-codec must be that of the CID", 400);
  }
  return { bytes: await load(node, cid) };
};

function requireDagCbor(bytes: Uint8Array): void {
  try {
    dagCbor.decode(bytes);
  } catch {
    throw new RpcError("not DAG-CBOR", 400);
  }
}
