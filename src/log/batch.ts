import { utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Clock, Observation } from "../observation/observation.ts";
import { factsOf, type Chunk } from "./chunk.ts";
import { channelKey } from "../observation/observation.ts";
import { encodeColumns } from "./columns.ts";
import { TooLargeError } from "./errors.ts";
import { readChannel, writeChannel } from "./leaf.ts";
import { flatRoot } from "./merkle.ts";
import { RowLeaves } from "./row-leaves.ts";
import { Rows } from "./rows.ts";
import { compress, decompress } from "./zstd.ts";

const MAGIC = utf8("medseal/batch/1\n");
const ZSTD = 1;
/** Before compression; also bounds what a hostile block can make a reader unpack. */
const LARGEST = 64 * 1024 * 1024;
/** Readings and missing ones of one batch, so that no small block makes a reader's memory large. */
export const MAX_LEAVES = 1 << 20;
const CLOCKS = ["source", "start", "zone"] as const;

/** Sealed sizes a batch block may have. A stream starts at one of them; a batch that does not fit takes the next. */
export const BATCH_CLASSES = [1024, 4096, 16384, 65536, 262144, 1048576] as const;

function writeClock(writer: ByteWriter, clock: Clock): void {
  const text = clock.kind === "start" ? clock.start : clock.kind === "zone" ? clock.zone : "";
  writer.uint(CLOCKS.indexOf(clock.kind), 1).text(text);
}

function readClock(reader: ByteReader): Clock {
  const kind = reader.choice(CLOCKS, "clock");
  const text = reader.text();
  if (kind === "start") return { kind, start: text };
  if (kind === "zone") return { kind, zone: text };
  return text === "" ? { kind } : reader.fail("text behind a source clock");
}

/**
 * The chunks of one batch as bytes: channel table, then chunk by chunk seed, clock and columns, compressed with zstd.
 * Not yet padded or sealed. The same chunks give the same bytes under the same zstd version.
 *
 * @param base - Unix seconds of the start of the epoch.
 */
export const encodeBatch = (chunks: readonly Chunk[], base: number): Uint8Array => packBatch(plainBatch(chunks, base));

/** What of a batch is compressed. @throws as `encodeBatch`. */
export function plainBatch(chunks: readonly Chunk[], base: number): Uint8Array {
  const leaves = chunks.reduce((sum, { observations }) => sum + observations.length, 0);
  if (leaves > MAX_LEAVES) throw new TooLargeError(`a batch holds at most ${MAX_LEAVES} readings, got ${leaves}`);
  const used = chunks.flatMap(({ facts, observations }) => (facts ?? factsOf(observations)).channels);
  const channels = new Map(used.map((channel) => [channelKey(channel), channel]));
  if (channels.size > 255) throw new TooLargeError(`a batch holds at most 255 channels, got ${channels.size}`);
  const table = [...channels.values()];

  const writer = new ByteWriter().uint(table.length, 1);
  for (const channel of table) writeChannel(writer, channel);
  writer.uint(chunks.length, 1);
  for (const { seed, clock, observations } of chunks) {
    writeClock(writer.fixed(seed, 32), clock);
    writer.raw(encodeColumns(observations, table, base));
  }
  const plain = writer.finish();
  if (plain.length > LARGEST) throw new TooLargeError("batch exceeds 64 MiB before compression");
  return plain;
}

const packBatch = (plain: Uint8Array): Uint8Array =>
  new ByteWriter().raw(MAGIC).uint(ZSTD, 1).uint(plain.length, 4).sized(compress(plain), 4).finish();

/** Bytes that a batch has at the most; zstd adds less than this to what it cannot compress (`ZSTD_COMPRESSBOUND`). */
export const mostPacked = (plainLength: number): number => plainLength + (plainLength >> 8) + 128;

/** A batch of one chunk as `encodeBatch` gives it, and the chunk's root: what of sealing takes long, and needs no key. */
export interface MadeChunk {
  readonly encoded: Uint8Array;
  readonly root: Uint8Array;
}

/** @param plain - Of one chunk, as `plainBatch` gives it; read again, so that it can be handed to another thread as bytes. */
export function makeChunk(plain: Uint8Array, base: number): MadeChunk {
  const [facts] = factsOfPlain(plain, base);
  if (!facts) throw new RangeError("a batch without a chunk has no root");
  return { encoded: packBatch(plain), root: facts.root };
}

/** What is checked of a chunk against its header and epoch. */
export interface RowFacts {
  /** Readings and missing ones. */
  readonly count: number;
  readonly missing: number;
  /** RFC 9162 root over the leaves of its rows. */
  readonly root: Uint8Array;
  /** Whole unix seconds of the earliest and latest effective time; Infinity and 0 without one. */
  readonly earliest: number;
  readonly latest: number;
}

/**
 * @param base - Unix seconds of the start of the epoch, as the place of the batch has it.
 * @throws MalformedError unless the bytes are exactly one batch.
 */
export function decodeBatch(bytes: Uint8Array, base: number): Chunk[] {
  const chunks: Chunk[] = [];
  readPlain(unpacked(bytes), base, (seed, clock, rows) => {
    const observations: Observation[] = [];
    while (rows.next()) observations.push(rows.observation());
    chunks.push({ seed, clock, observations });
  });
  return chunks;
}

/** What a header says of the chunks of a batch, and no reading: in a third of the time. @throws as `decodeBatch`. */
export const factsOfBatch = (bytes: Uint8Array, base: number): RowFacts[] => factsOfPlain(unpacked(bytes), base);

function factsOfPlain(plain: Uint8Array, base: number): RowFacts[] {
  const facts: RowFacts[] = [];
  readPlain(plain, base, (seed, _clock, rows) => {
    const leaves = new RowLeaves(seed, rows.count);
    let [missing, earliest, latest] = [0, Infinity, 0];
    while (rows.next()) {
      leaves.add(rows);
      if (rows.kind === "missing") missing += 1;
      if (rows.seconds < earliest) earliest = rows.seconds;
      if (rows.seconds > latest) latest = rows.seconds;
    }
    facts.push({ count: rows.count, missing, root: flatRoot(leaves.finish()), earliest, latest });
  });
  return facts;
}

function unpacked(bytes: Uint8Array): Uint8Array {
  const outer = new ByteReader(bytes, "batch").expect(MAGIC, "name and version 1").expect(Uint8Array.of(ZSTD), "zstd");
  const length = outer.uint(4);
  if (length > LARGEST) outer.fail("batch above 64 MiB");
  const packed = outer.sized(4);
  outer.end();
  return decompress(packed, length) ?? outer.fail("not one zstd frame of the stated length");
}

/** @param each - Goes through all rows of a chunk. */
function readPlain(plain: Uint8Array, base: number, each: (seed: Uint8Array, clock: Clock, rows: Rows) => void): void {
  const reader = new ByteReader(plain, "batch");
  const channels = Array.from({ length: reader.uint(1) }, () => readChannel(reader));
  let [room, used, inOrder] = [MAX_LEAVES, 0, true];
  const seen = (channel: number): void => {
    if (channel === used) used += 1;
    else if (channel > used) inOrder = false;
  };
  for (let left = reader.uint(1); left > 0; left--) {
    const seed = reader.fixed(32);
    const clock = readClock(reader);
    const rows = new Rows(reader, channels, base, room, seen);
    each(seed, clock, rows);
    room -= rows.count;
  }
  reader.end();
  // The table lists each channel once, in the order of its first use, and no other: the same chunks have one form.
  if (!inOrder || used < channels.length || new Set(channels.map(channelKey)).size < channels.length)
    reader.fail("the channel table is not that of its rows");
}
