import { concat, equal, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { deviceIdOf, verifyMessage } from "../keys/signature.ts";
import { channelKey, type Channel, type Clock, type Observation } from "../observation/observation.ts";
import { parseInstant } from "../observation/instant.ts";
import { ChunkOutsideEpochError } from "./errors.ts";
import { flatLeaves } from "./leaf.ts";
import { flatRoot } from "./merkle.ts";

/** One signed message may cover this many chunks, so that its statement fits a header. */
export const MAX_ITEMS = 16;

/** What a message says of one chunk: its place, how many leaves, their root. */
export interface ChunkItem {
  /** 32 bytes. */
  readonly stream: Uint8Array;
  readonly epoch: number;
  /** Leaves: readings and missing ones. */
  readonly count: number;
  /** RFC 9162 root over the observation leaves. */
  readonly root: Uint8Array;
}

/** The signed statement of one message of a device, or of the gateway for an unsigned file. */
export interface Statement {
  /** P-256, compressed, 33 bytes. The device id follows from it. */
  readonly deviceKey: Uint8Array;
  readonly firmware: number;
  /** Rises by one with every message of this device. */
  readonly counter: bigint;
  /** Digest of the device's statement before, zeros at first. */
  readonly previous: Uint8Array;
  /** Digests of the items of this message, one a chunk, at most 16. */
  readonly items: readonly Uint8Array[];
  /** ECDSA over `statementDigest`, r ‖ s, low s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** The observations of one chunk and what is needed to recompute its root. Sealed inside the batch. */
export interface Chunk {
  readonly clock: Clock;
  /** 32 random bytes of the signer's, from which the leaf salts follow. */
  readonly seed: Uint8Array;
  readonly observations: readonly Observation[];
  /** When they are at hand; otherwise they are found again. Not part of the batch. */
  readonly facts?: ChunkFacts;
}

/** SHA-256("medseal/v1/item" ‖ stream ‖ epoch ‖ count ‖ root). */
export function itemDigest({ stream, epoch, count, root }: ChunkItem): Uint8Array {
  const writer = new ByteWriter().raw(utf8("medseal/v1/item")).fixed(stream, 32).uint(epoch, 4).uint(count, 4);
  return sha256(writer.fixed(root, 32).finish());
}

/** What the device signs: SHA-256("medseal/v1/chunk" ‖ deviceId ‖ firmware ‖ counter ‖ previous ‖ number of items ‖ items). */
export const statementDigest = (statement: Omit<Statement, "signature">): Uint8Array => sha256(signedBytes(statement));

function signedBytes(statement: Omit<Statement, "signature">): Uint8Array {
  const writer = new ByteWriter().raw(utf8("medseal/v1/chunk")).fixed(deviceIdOf(statement.deviceKey), 32);
  writer.uint(statement.firmware, 4).uint(statement.counter, 8).fixed(statement.previous, 32);
  return writer
    .uint(statement.items.length, 1)
    .raw(concat(...statement.items))
    .finish();
}

/** True when the statement's key signed it and the item at `index` is `item`. */
export function verifyStatement(statement: Statement, index: number, item: ChunkItem): boolean {
  const listed = statement.items[index];
  if (!listed || !equal(listed, itemDigest(item))) return false;
  return verifyMessage(statement.deviceKey, signedBytes(statement), statement.signature);
}

/** Root over the leaves of a chunk's observations. */
export const chunkRoot = (chunk: Pick<Chunk, "seed" | "observations">): Uint8Array =>
  flatRoot(flatLeaves(chunk.seed, chunk.observations));

/** Epoch of an effective time: whole seconds divided by the stream's epoch length. */
export function epochOf(time: string, epochLength: number): number {
  const instant = parseInstant(time);
  if (!instant || instant.seconds < 0) throw new RangeError("effective time is no instant since 1970");
  return Math.floor(instant.seconds / epochLength);
}

/** What a batch's table, its header and its leave to write ask of a chunk's observations, found in one go through them. */
export interface ChunkFacts {
  /** Each channel once, in the order of their first use. */
  readonly channels: readonly Channel[];
  /** How many observations are marked missing. */
  readonly missing: number;
  /** Whole Unix seconds of the earliest and the latest effective time; Infinity and 0 without one. */
  readonly earliest: number;
  readonly latest: number;
}

/** @throws RangeError for a time that is no instant. */
export function factsOf(observations: readonly Observation[]): ChunkFacts {
  const seen = new Set<Channel>();
  let [missing, earliest, latest] = [0, Infinity, 0];
  let last: string | undefined;
  for (const { channel, time, value } of observations) {
    seen.add(channel);
    if (value.kind === "missing") missing += 1;
    // Values of one row have one time.
    if (time === last) continue;
    const seconds = parseInstant(time)?.seconds;
    if (seconds === undefined) throw new RangeError("effective time is no instant");
    if (seconds < earliest) earliest = seconds;
    if (seconds > latest) latest = seconds;
    last = time;
  }
  const channels = new Map([...seen].map((channel) => [channelKey(channel), channel]));
  return { channels: [...channels.values()], missing, earliest, latest };
}

/** @throws ChunkOutsideEpochError naming the first row that belongs elsewhere. */
export function checkEpoch(chunk: Pick<Chunk, "observations" | "facts">, epoch: number, epochLength: number): void {
  const { earliest, latest } = chunk.facts ?? factsOf(chunk.observations);
  const begin = epoch * epochLength;
  if (chunk.observations.length === 0 || (earliest >= begin && latest < begin + epochLength)) return;
  const row = chunk.observations.findIndex(({ time }) => epochOf(time, epochLength) !== epoch);
  throw new ChunkOutsideEpochError(`row ${row} of the chunk does not lie in epoch ${epoch}`);
}
