import { FetchRequest, JsonRpcProvider, Network, type FetchGetUrlFunc } from "ethers";
import { isBytes32, type Hex } from "../consent/consent.ts";
import { MedSealError } from "../errors.ts";
import { ChainUnavailableError, NodeLiesError, WrongChainError } from "./errors.ts";

/** The one thing this layer needs of a node; every ethers JSON-RPC provider has it. */
export interface Rpc {
  send(method: string, params: unknown[]): Promise<unknown>;
}

export interface BlockHeader {
  readonly number: number;
  readonly hash: Hex;
  readonly stateRoot: Hex;
  /** Unix seconds. */
  readonly timestamp: number;
}

export type BlockTag = number | "latest" | "finalized";

/** Opens a node over HTTP. Unlike the default of ethers, it asks nothing until used and gives up instead of retrying for ever. */
export function openRpc(url: string, chainId: number, timeoutMs = 30_000): JsonRpcProvider {
  const request = new FetchRequest(url);
  request.timeout = timeoutMs;
  request.getUrlFunc = overFetch;
  const network = Network.from(chainId);
  return new JsonRpcProvider(request, network, {
    staticNetwork: network,
    cacheTimeout: -1,
    batchStallTime: 0,
    pollingInterval: 500,
  });
}

/** By Node's own client: the one of ethers copies all it has at each piece that comes, which takes minutes for a large answer. */
const overFetch: FetchGetUrlFunc = async ({ url, method, headers, body, timeout }, cancelled) => {
  const cancel = new AbortController();
  cancelled?.addListener(() => cancel.abort());
  const signal = AbortSignal.any([cancel.signal, AbortSignal.timeout(timeout)]);
  const response = await fetch(url, { method, headers, body: body && new Uint8Array(body), signal });
  return {
    statusCode: response.status,
    statusMessage: response.statusText,
    headers: Object.fromEntries(response.headers),
    body: new Uint8Array(await response.arrayBuffer()),
  };
};

/**
 * One question to a node of which not even the chain's number is known.
 *
 * @param timeoutMs - Without one it waits for as long as the node takes.
 * @throws Error with the node's message, or because nobody answered.
 */
export async function callNode(
  url: string,
  method: string,
  params: unknown[] = [],
  timeoutMs?: number,
): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message?: string } };
  if (error !== undefined) throw new Error(error.message ?? "the node refused");
  return result;
}

/**
 * Sends one request.
 *
 * @throws ChainUnavailableError when there is no answer; the node's own error when it answers with one.
 */
export async function ask(rpc: Rpc, method: string, params: unknown[]): Promise<unknown> {
  try {
    return await rpc.send(method, params);
  } catch (error) {
    throw isOutage(error) ? new ChainUnavailableError(undefined, error) : error;
  }
}

/** Like `ask`, where an error answered by the node is an outage as well: what we ask here, every node knows. */
export async function askPlain(rpc: Rpc, method: string, params: unknown[]): Promise<unknown> {
  try {
    return await rpc.send(method, params);
  } catch (error) {
    if (error instanceof MedSealError) throw error;
    throw new ChainUnavailableError(`the node does not answer ${method}`, error);
  }
}

/** @throws WrongChainError */
export async function checkChain(rpc: Rpc, chainId: number): Promise<void> {
  const found = quantity(await askPlain(rpc, "eth_chainId", []), "chain id");
  if (found !== chainId) throw new WrongChainError(chainId, found);
}

/** @returns undefined when the node has no such block (yet), or does not know the tag `finalized`. */
export async function readBlock(rpc: Rpc, tag: BlockTag): Promise<BlockHeader | undefined> {
  let block: unknown;
  try {
    block = await ask(rpc, "eth_getBlockByNumber", [typeof tag === "number" ? toQuantity(tag) : tag, false]);
  } catch (error) {
    if (error instanceof ChainUnavailableError || tag !== "finalized") throw asOutage(error);
    return undefined;
  }
  if (block === null || block === undefined) return undefined;
  const { number, hash, stateRoot, timestamp } = block as Record<string, unknown>;
  if (!isBytes32(hash) || !isBytes32(stateRoot)) throw new NodeLiesError("a block has no hash");
  const header = { number: quantity(number, "block number"), hash, stateRoot, timestamp: quantity(timestamp, "time") };
  if (typeof tag === "number" && header.number !== tag) throw new NodeLiesError("it sent another block than asked for");
  return header;
}

/** @throws ChainUnavailableError when the node does not have the block. */
export async function needBlock(rpc: Rpc, tag: BlockTag): Promise<BlockHeader> {
  const header = await readBlock(rpc, tag);
  if (header === undefined) throw new ChainUnavailableError("the node does not have a block it should have");
  return header;
}

export const toQuantity = (value: number): string => `0x${value.toString(16)}`;

export function quantity(value: unknown, what: string): number {
  const number = typeof value === "string" && /^0x[0-9a-f]{1,16}$/i.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw new NodeLiesError(`${what} is not a number`);
  return number;
}

/** Codes of ethers and of Node's sockets that mean that nobody answered. */
const OUTAGES: ReadonlySet<unknown> = new Set([
  "NETWORK_ERROR",
  "SERVER_ERROR",
  "TIMEOUT",
  "CANCELLED",
  "UND_ERR_SOCKET",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** True when an error, or one it was made from, says that nobody answered. */
export function isOutage(error: unknown): boolean {
  for (let at = error, depth = 0; at !== null && typeof at === "object" && depth < 5; depth++) {
    const { code, response } = at as { code?: unknown; response?: { statusCode?: unknown } };
    // Some nodes refuse a request as too large by an HTTP status.
    if (OUTAGES.has(code)) return response?.statusCode !== 400 && response?.statusCode !== 413;
    at = (at as { cause?: unknown }).cause;
  }
  return false;
}

const asOutage = (error: unknown): MedSealError =>
  error instanceof MedSealError ? error : new ChainUnavailableError("the node does not answer as it should", error);
