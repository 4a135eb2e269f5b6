import { keccak256 } from "ethers";
import type { Signer } from "ethers";
import { concat, equal, fromHex, hex0x } from "../bytes/bytes.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Hex } from "../consent/consent.ts";
import { anchorInterface } from "./contracts.ts";
import type { Deployment } from "./deployment.ts";
import { ChainUnavailableError, ContractRefusedError, HeadMovedError, NodeLiesError } from "./errors.ts";
import { readLogs } from "./logs.ts";
import { askPlain, checkChain, needBlock, readBlock, toQuantity, type BlockTag, type Rpc } from "./rpc.ts";
import { sendUntil, type ResendOptions } from "./resend.ts";
import type { Mined } from "./transaction.ts";

/** What goes on chain of a checkpoint, whatever is in it. */
export interface CheckpointAnchor {
  /** 32 bytes: Merkle root over its entries. */
  readonly root: Uint8Array;
  /** 32 bytes: SHA-256 of the checkpoint block. */
  readonly digest: Uint8Array;
  /** Number of entries. */
  readonly size: number;
}

export interface AnchoredCheckpoint extends CheckpointAnchor {
  /** Position in the gateway's chain of checkpoints, from 0. */
  readonly index: number;
  /** 32 bytes: the gateway's head after it. */
  readonly head: Uint8Array;
  readonly block: number;
  /** Time of its block, in unix seconds. */
  readonly time: number;
  readonly transaction: Hex;
}

/** The head before a gateway's first checkpoint. */
export const FIRST_HEAD: Uint8Array = new Uint8Array(32);

/** On chain the size has 64 bits, whatever a gateway puts there. */
type AnyAnchor = Omit<CheckpointAnchor, "size"> & { readonly size: number | bigint };

/** keccak256(root ‖ digest ‖ size), `size` as 8 bytes. */
export const innerHash = ({ root, digest, size }: AnyAnchor): Uint8Array =>
  fromHex(keccak256(new ByteWriter().fixed(root, 32).fixed(digest, 32).uint(size, 8).finish()));

/** The twin of RecordAnchor: the head that follows `head` once this checkpoint is anchored. 32 bytes. */
export const headAfter = (head: Uint8Array, checkpoint: AnyAnchor): Uint8Array =>
  fromHex(keccak256(concat(head, innerHash(checkpoint))));

/**
 * Anchors a checkpoint under the signer's address, see `sendUntil`. Safe to repeat: when an earlier try got through after all, nothing is
 * sent. The contract takes it on `expectedHead` only, so however many tries are mined, one of them counts.
 *
 * @param expectedHead - The gateway's head that the checkpoint follows, as written in it.
 * @returns `already` when this checkpoint is the gateway's head.
 * @throws HeadMovedError when the chain has another head, ContractRefusedError, ChainUnavailableError
 */
export async function anchorCheckpoint(
  checkpoint: CheckpointAnchor,
  expectedHead: Uint8Array,
  gateway: Signer,
  rpc: Rpc,
  deployment: Deployment,
  options: ResendOptions & { readonly headAt?: HeadAt } = {},
): Promise<({ readonly status: "mined" } & Mined) | { readonly status: "already" }> {
  const { address: to } = deployment.contracts.RecordAnchor;
  const after = headAfter(expectedHead, checkpoint);
  const gatewayAddress = (await gateway.getAddress()) as Hex;
  const headAt = options.headAt ?? ((block) => headOf(rpc, deployment, gatewayAddress, block));
  const arrived = async (block: number): Promise<boolean> => {
    const head = await headAt(block);
    if (equal(head, after)) return true;
    if (!equal(head, expectedHead)) throw new HeadMovedError();
    return false;
  };
  const { root, digest, size } = checkpoint;
  const data = anchorInterface.encodeFunctionData("anchor", [root, digest, size, expectedHead]);
  try {
    const mined = await sendUntil({ contract: "RecordAnchor", to, data, arrived }, gateway, rpc, options);
    return mined ? { status: "mined", ...mined } : { status: "already" };
  } catch (error) {
    if (!(error instanceof ContractRefusedError)) throw error;
    // Our own transaction of before may have been mined in between; one refused only then comes back without a reason.
    if (await arrived((await needBlock(rpc, "latest")).number)) return { status: "already" };
    throw error;
  }
}

/** Reads the gateway's head as of a block. */
export type HeadAt = (block: number) => Promise<Uint8Array>;

/** The head of a gateway, 32 bytes, zeros before its first checkpoint. A gateway's address is public. */
export async function headOf(
  rpc: Rpc,
  deployment: Deployment,
  gateway: Hex,
  tag: BlockTag = "latest",
): Promise<Uint8Array> {
  const to = deployment.contracts.RecordAnchor.address;
  const data = anchorInterface.encodeFunctionData("headOf", [gateway]);
  const at = typeof tag === "number" ? toQuantity(tag) : tag;
  const answer = await askPlain(rpc, "eth_call", [{ to, data }, at]);
  if (typeof answer !== "string" || !/^0x[0-9a-f]{64}$/.test(answer)) throw new NodeLiesError("a head is not 32 bytes");
  return fromHex(answer);
}

/**
 * Every checkpoint that a gateway has anchored, from the events, checked link by link and against the head in the
 * contract's storage: a node cannot leave out, reorder or make up one without forging that as well.
 *
 * @param tag - Up to which block; `finalized` for what must not change any more.
 * @throws NodeLiesError when events and head do not fit.
 */
export async function anchoredCheckpoints(
  rpc: Rpc,
  deployment: Deployment,
  gateway: Hex,
  tag: BlockTag = "latest",
): Promise<AnchoredCheckpoint[]> {
  await checkChain(rpc, deployment.chainId);
  const { address, block: first } = deployment.contracts.RecordAnchor;
  const target = await needBlock(rpc, tag);
  const event = anchorInterface.getEvent("CheckpointAnchored");
  const topics = [event.topicHash as Hex, `0x${"0".repeat(24)}${gateway.slice(2).toLowerCase()}` as Hex];
  const found: AnchoredCheckpoint[] = [];
  const times = new Map<number, number>();
  let head = FIRST_HEAD;
  for await (const { logs } of readLogs(rpc, address, first, target.number, topics)) {
    for (const log of logs) {
      const [, root, digest, size, claimed] = anchorInterface.decodeEventLog(event, log.data, [...log.topics]);
      const exact = { root: fromHex(root as string), digest: fromHex(digest as string), size: size as bigint };
      const checkpoint = { ...exact, size: Number(exact.size) };
      head = headAfter(head, exact);
      if (hex0x(head) !== claimed || log.topics[1] !== topics[1]) {
        throw new NodeLiesError("a checkpoint does not follow the one before it");
      }
      if (!times.has(log.block)) times.set(log.block, await timeOf(rpc, log.block, log.blockHash));
      const time = times.get(log.block) as number;
      const { block, transaction } = log;
      found.push({ ...checkpoint, index: found.length, head, block, time, transaction });
    }
  }
  if (hex0x(await headOf(rpc, deployment, gateway, target.number)) !== hex0x(head)) {
    if ((await readBlock(rpc, target.number))?.hash !== target.hash) {
      throw new ChainUnavailableError("the chain was reorganised while it was read");
    }
    throw new NodeLiesError("the checkpoints it lists do not lead to the gateway's head");
  }
  return found;
}

async function timeOf(rpc: Rpc, block: number, hash: Hex): Promise<number> {
  const header = await needBlock(rpc, block);
  if (header.hash !== hash) throw new NodeLiesError("an event lies in a block that is not part of the chain");
  return header.timestamp;
}
