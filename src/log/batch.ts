import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Channel, Clock } from "../observation/observation.ts";
import type { Chunk } from "./chunk.ts";
import { channelKey } from "../observation/observation.ts";
import { decodeColumns, encodeColumns } from "./columns.ts";
import { TooLargeError } from "./errors.ts";
import { readChannel, writeChannel } from "./leaf.ts";

const MAGIC = utf8("medseal/batch/1\n");
const ZSTD = 1;
const LEVEL = 9;
/** Before compression; also bounds what a hostile block can make a reader unpack. */
const LARGEST = 64 * 1024 * 1024;
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
export function encodeBatch(chunks: readonly Chunk[], base: number): Uint8Array {
  const channels = new Map<string, Channel>();
  for (const { observations } of chunks)
    for (const { channel } of observations) channels.set(channelKey(channel), channel);
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
  const packed = zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  return new ByteWriter().raw(MAGIC).uint(ZSTD, 1).uint(plain.length, 4).sized(packed, 4).finish();
}

/** @throws MalformedError unless the bytes are exactly one batch. */
export function decodeBatch(bytes: Uint8Array): Chunk[] {
  const outer = new ByteReader(bytes, "batch").expect(MAGIC, "name and version 1").expect(Uint8Array.of(ZSTD), "zstd");
  const length = outer.uint(4);
  if (length > LARGEST) outer.fail("batch above 64 MiB");
  const packed = outer.sized(4);
  outer.end();
  const reader = new ByteReader(unpack(packed, length, outer), "batch");

  const channels = Array.from({ length: reader.uint(1) }, () => readChannel(reader));
  const chunks = Array.from({ length: reader.uint(1) }, () => {
    const seed = reader.fixed(32);
    const clock = readClock(reader);
    return { seed, clock, observations: decodeColumns(reader, channels) };
  });
  reader.end();
  return chunks;
}

function unpack(packed: Uint8Array, length: number, reader: ByteReader): Uint8Array {
  let plain: Uint8Array;
  try {
    plain = zstdDecompressSync(packed, { maxOutputLength: Math.max(length, 1) });
  } catch {
    return reader.fail("not a zstd frame of the stated length");
  }
  return plain.length === length ? plain : reader.fail("not a zstd frame of the stated length");
}
