import { utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { MAX_ITEMS, type Statement } from "./chunk.ts";
import { TooLargeError } from "./errors.ts";

const MAGIC = utf8("medseal/header/1\n");
const FLAGS = { last: 1, late: 2 } as const;

/** Sealed size of every header, whatever it says. */
export const HEADER_SIZE = 1024;
/** What is left for the header's bytes under the seal (80) and the padding's length (4). */
const CAPACITY = HEADER_SIZE - 80 - 4;
/** Bytes before the first chunk. */
const FIXED = 177;

/** A header's share of one chunk: enough to check the device's signature without the readings. */
export interface HeaderChunk {
  readonly statement: Statement;
  /** Which of the statement's items is this chunk. */
  readonly index: number;
  /** Leaves, the missing ones among them. */
  readonly count: number;
  readonly missing: number;
  readonly root: Uint8Array;
}

/** The facts of one batch; what an audit grant shows. */
export interface Header {
  readonly stream: Uint8Array;
  readonly generation: number;
  readonly epoch: number;
  /** Number of the batch inside its epoch and generation, from 0. */
  readonly n: number;
  /** Number of the header inside its generation, from 0, without gaps. */
  readonly sequence: number;
  /** Digest of the sealed header with the sequence before; zeros for the first. */
  readonly previous: Uint8Array;
  /** In the first header of a generation: digest of the last sealed header of the generation before; zeros otherwise. */
  readonly continues: Uint8Array;
  /** The gateway expects no further batch in this epoch. A later one is `late` and says `last` again. */
  readonly last: boolean;
  readonly late: boolean;
  /** Whole unix seconds of the earliest and latest effective time; 0 in an empty header. */
  readonly earliest: number;
  readonly latest: number;
  /** SHA-256 of the sealed batch block. */
  readonly batch: Uint8Array;
  readonly chunks: readonly HeaderChunk[];
}

/** @throws TooLargeError when the chunks do not fit; cut the batch then. */
export function encodeHeader(header: Header): Uint8Array {
  const writer = new ByteWriter().raw(MAGIC).fixed(header.stream, 32).uint(header.generation, 4).uint(header.epoch, 4);
  writer.uint(header.n, 4).uint(header.sequence, 6).fixed(header.previous, 32).fixed(header.continues, 32);
  writer.uint((header.last ? FLAGS.last : 0) | (header.late ? FLAGS.late : 0), 1);
  writer.uint(header.earliest, 6).uint(header.latest, 6).fixed(header.batch, 32).uint(header.chunks.length, 1);
  for (const { statement, index, count, missing, root } of header.chunks) {
    writer.fixed(statement.deviceKey, 33).uint(statement.firmware, 4).uint(statement.counter, 8);
    writer.fixed(statement.previous, 32).uint(statement.items.length, 1);
    for (const item of statement.items) writer.fixed(item, 32);
    writer.uint(index, 1).uint(count, 4).uint(missing, 4).fixed(root, 32).fixed(statement.signature, 64);
  }
  if (writer.length > CAPACITY) throw new TooLargeError(`header takes ${writer.length} bytes, ${CAPACITY} fit`);
  return writer.finish();
}

/** @throws MalformedError unless the bytes are exactly one header. */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new ByteReader(bytes, "header").expect(MAGIC, "name and version 1");
  const place = { stream: reader.fixed(32), generation: reader.uint(4), epoch: reader.uint(4), n: reader.uint(4) };
  const links = { sequence: reader.uint(6), previous: reader.fixed(32), continues: reader.fixed(32) };
  const first = links.sequence === 0;
  if ((first ? links.previous : links.continues).some((byte) => byte !== 0))
    reader.fail("only the first header continues another generation, and it has none before it");
  const flags = reader.uint(1);
  if (flags & ~(FLAGS.last | FLAGS.late)) reader.fail("unknown flag");
  const times = { earliest: reader.uint(6), latest: reader.uint(6) };
  const batch = reader.fixed(32);
  const chunks = Array.from({ length: reader.uint(1) }, () => readChunk(reader));
  reader.end();
  return {
    ...place,
    ...links,
    last: (flags & FLAGS.last) !== 0,
    late: (flags & FLAGS.late) !== 0,
    ...times,
    batch,
    chunks,
  };
}

function readChunk(reader: ByteReader): HeaderChunk {
  const signer = {
    deviceKey: reader.fixed(33),
    firmware: reader.uint(4),
    counter: reader.uint64(),
    previous: reader.fixed(32),
  };
  const size = reader.uint(1);
  if (size === 0 || size > MAX_ITEMS) reader.fail(`a statement has 1 to ${MAX_ITEMS} items`);
  const items = Array.from({ length: size }, () => reader.fixed(32));
  const index = reader.uint(1);
  if (index >= size) reader.fail("chunk index outside its statement");
  const counts = { count: reader.uint(4), missing: reader.uint(4) };
  if (counts.missing > counts.count) reader.fail("more missing than leaves");
  return { index, ...counts, root: reader.fixed(32), statement: { ...signer, items, signature: reader.fixed(64) } };
}

/** Bytes a chunk takes in a header, for cutting batches. */
export const headerChunkSize = (statement: Pick<Statement, "items">): number => 183 + 32 * statement.items.length;

/** How many of `statements` fit the header of one batch, at least one. */
export function chunksThatFit(statements: readonly Pick<Statement, "items">[]): number {
  let room = CAPACITY - FIXED;
  const fits = statements.findIndex((statement) => (room -= headerChunkSize(statement)) < 0);
  return fits === -1 ? statements.length : Math.max(fits, 1);
}
