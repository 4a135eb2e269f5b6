import { CID } from "multiformats/cid";
import type { NodeParts } from "../parts.ts";
import { RpcError } from "./errors.ts";

/** One request: its query, and the parts of its multipart body. */
export interface Call {
  readonly query: URLSearchParams;
  readonly files: () => AsyncIterable<Uint8Array>;
}

/** What a command answers: one JSON value, a JSON value a line, or bytes. */
export type Answer =
  { readonly json: unknown } | { readonly lines: AsyncIterable<unknown> } | { readonly bytes: Uint8Array };

export type Command = (node: NodeParts, call: Call) => Promise<Answer>;

/** The one CID that a command is about. @throws RpcError when it is absent or not a CID. */
export function cidArgument(query: URLSearchParams): CID {
  const [text, ...more] = query.getAll("arg");
  if (text === undefined || more.length > 0) throw new RpcError("one argument expected", 400);
  return cidFrom(text);
}

/** @param text - A CID or `/ipfs/` and a CID; paths below it are not offered. */
export function cidFrom(text: string): CID {
  try {
    return CID.parse(text.replace(/^\/ipfs\//, ""));
  } catch {
    throw new RpcError("invalid CID", 400);
  }
}

export function flag(query: URLSearchParams, name: string, byDefault: boolean): boolean {
  const value = query.get(name) ?? "";
  return value === "" ? byDefault : value === "true";
}
