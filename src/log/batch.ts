import { utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Channel, Clock } from "../observation/observation.ts";
import { chunkRoot, factsOf, type Chunk } from "./chunk.ts";
import { channelKey } from "../observation/observation.ts";
import { decodeColumns, encodeColumns } from "./columns.ts";
import { TooLargeError } from "./errors.ts";
import { readChannel, writeChannel } from "./leaf.ts";
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
  const [chunk] = readPlain(plain, base);
  if (!chunk) throw new RangeError("a batch without a chunk has no root");
  return { encoded: packBatch(plain), root: chunkRoot(chunk) };
}

/**
 * @param base - Unix seconds of the start of the epoch, as the place of the batch has it.
 * @throws MalformedError unless the bytes are exactly one batch.
 */
export function decodeBatch(bytes: Uint8Array, base: number): Chunk[] {
  const outer = new ByteReader(bytes, "batch").expect(MAGIC, "name and version 1").expect(Uint8Array.of(ZSTD), "zstd");
  const length = outer.uint(4);
  if (length > LARGEST) outer.fail("batch above 64 MiB");
  const packed = outer.sized(4);
  outer.end();
  const plain = decompress(packed, length) ?? outer.fail("not one zstd frame of the stated length");
  return readPlain(plain, base);
}

function readPlain(plain: Uint8Array, base: number): Chunk[] {
  const reader = new ByteReader(plain, "batch");
  const channels = Array.from({ length: reader.uint(1) }, () => readChannel(reader));
  let room = MAX_LEAVES;
  const chunks = Array.from({ length: reader.uint(1) }, () => {
    const seed = reader.fixed(32);
    const clock = readClock(reader);
    const observations = decodeColumns(reader, channels, base, room);
    room -= observations.length;
    return { seed, clock, observations };
  });
  reader.end();
  checkTable(channels, chunks, reader);
  return chunks;
}

/** The table lists each channel once, in the order of its first use, and no other: the same chunks have one form. */
function checkTable(channels: readonly Channel[], chunks: readonly Chunk[], reader: ByteReader): void {
  const used = new Set<Channel>();
  for (const { observations } of chunks) for (const { channel } of observations) used.add(channel);
  const inOrder = used.size === channels.length && [...used].every((channel, i) => channel === channels[i]);
  if (!inOrder || new Set(channels.map(channelKey)).size < channels.length)
    reader.fail("the channel table is not that of its rows");
}
