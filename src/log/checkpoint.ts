import { compare, concat, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { MalformedError } from "../errors.ts";
import { TooLargeError } from "./errors.ts";
import { leafHash, merkleRoot } from "./merkle.ts";

const MAGIC = utf8("medseal/checkpoint/1\n");
const PAGE_MAGIC = utf8("medseal/page/1\n");
export const PAGE_ENTRIES = 4096;
const ENTRY_SIZE = 96;
/** Bytes with one entry, no mail and nothing erased. */
export const SHORTEST_CHECKPOINT = MAGIC.length + 122 + ENTRY_SIZE + 4;
export const SHORTEST_PAGE = PAGE_MAGIC.length + 4 + ENTRY_SIZE;
const MAIL_ROW_SIZE = 65;
const MAX_PAGES = 1024;
/** Mail rows, and erased digests: with them and its entries a checkpoint stays below the 2 MiB of an IPFS block. */
const MAX_LISTED = 16384;

/** One batch in public: where to look for it and what its blocks hash to. */
export interface Entry {
  /** Pseudorandom, 32 bytes; only who holds the epoch's audit key recognises it. */
  readonly tag: Uint8Array;
  /** SHA-256 of the sealed header block. */
  readonly header: Uint8Array;
  /** SHA-256 of the sealed batch block. */
  readonly batch: Uint8Array;
}

/** Tells whoever holds the view key that an envelope may be theirs. */
export interface MailRow {
  /** SHA-256 of the envelope block. */
  readonly envelope: Uint8Array;
  /** X25519 public key made for this row. */
  readonly ephemeral: Uint8Array;
  /** One byte, 0 to 255. */
  readonly viewTag: number;
}

/** Where a checkpoint belongs; no other chain, contract or gateway can use it. */
export interface CheckpointPlace {
  readonly chainId: bigint;
  /** RecordAnchor, 20 bytes. */
  readonly anchor: Uint8Array;
  /** 20 bytes. */
  readonly gateway: Uint8Array;
}

export interface Checkpoint extends CheckpointPlace {
  /** Number of this gateway's checkpoint, from 0. */
  readonly index: number;
  /** RecordAnchor's rolling head before this checkpoint; zeros at first. */
  readonly headBefore: Uint8Array;
  /** SHA-256 of the checkpoint block before; zeros at first. */
  readonly previous: Uint8Array;
  /** Strictly ascending by tag, padded to the gateway's entry count. */
  readonly entries: readonly Entry[];
  readonly mail: readonly MailRow[];
  /** Digests of blocks erased since the checkpoint before, ascending. */
  readonly erased: readonly Uint8Array[];
}

/** A checkpoint as blocks: its own, and the pages its entries lie on when there are more than 4,096. */
export interface CheckpointBlocks {
  readonly block: Uint8Array;
  readonly pages: readonly Uint8Array[];
}

/** What stands in a checkpoint block; entries on pages are still to be read. */
export type CheckpointBody = Omit<Checkpoint, "entries"> & {
  readonly size: number;
  /** Entries, or undefined when they lie on pages. */
  readonly entries: readonly Entry[] | undefined;
  readonly pages: readonly Uint8Array[];
};

export const entryBytes = ({ tag, header, batch }: Entry): Uint8Array => concat(tag, header, batch);

/** RFC 9162 leaf of an entry: SHA-256(0x00 ‖ tag ‖ header ‖ batch). */
export const entryLeaf = (entry: Entry): Uint8Array => leafHash(entryBytes(entry));

/** RFC 9162 root over all entries of a checkpoint; what RecordAnchor anchors. */
export const checkpointRoot = (entries: readonly Entry[]): Uint8Array => merkleRoot(entries.map(entryLeaf));

/** @throws TooLargeError above 4,194,304 entries, 16,384 mail rows or as many erased digests. */
export function encodeCheckpoint(checkpoint: Checkpoint): CheckpointBlocks {
  const { entries, mail, erased } = checkpoint;
  if (entries.length === 0) throw new RangeError("a checkpoint has at least one entry");
  if (entries.length > PAGE_ENTRIES * MAX_PAGES || mail.length > MAX_LISTED || erased.length > MAX_LISTED)
    throw new TooLargeError("more entries, mail rows or erased digests than one checkpoint holds");
  ascending(
    entries.map(({ tag }) => tag),
    "entries",
  );
  ascending(erased, "erased digests");
  const writer = new ByteWriter().raw(MAGIC).uint(checkpoint.chainId, 8).fixed(checkpoint.anchor, 20);
  writer
    .fixed(checkpoint.gateway, 20)
    .uint(checkpoint.index, 6)
    .fixed(checkpoint.headBefore, 32)
    .fixed(checkpoint.previous, 32);
  writer.uint(entries.length, 4);

  const pages: Uint8Array[] = [];
  if (entries.length <= PAGE_ENTRIES) for (const entry of entries) writer.fixed(entryBytes(entry), ENTRY_SIZE);
  else {
    for (let i = 0; i < entries.length; i += PAGE_ENTRIES) pages.push(encodePage(entries.slice(i, i + PAGE_ENTRIES)));
    for (const page of pages) writer.raw(sha256(page));
  }
  writer.uint(mail.length, 2);
  for (const { envelope, ephemeral, viewTag } of mail) writer.fixed(envelope, 32).fixed(ephemeral, 32).uint(viewTag, 1);
  writer.uint(erased.length, 2);
  for (const digest of erased) writer.fixed(digest, 32);
  return { block: writer.finish(), pages };
}

function encodePage(entries: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter().raw(PAGE_MAGIC).uint(entries.length, 4);
  for (const entry of entries) writer.fixed(entryBytes(entry), ENTRY_SIZE);
  return writer.finish();
}

/** @throws MalformedError unless the block is exactly one checkpoint. */
export function decodeCheckpoint(block: Uint8Array): CheckpointBody {
  const reader = new ByteReader(block, "checkpoint").expect(MAGIC, "name and version 1");
  const place = { chainId: reader.uint64(), anchor: reader.fixed(20), gateway: reader.fixed(20) };
  const links = { index: reader.uint(6), headBefore: reader.fixed(32), previous: reader.fixed(32) };
  const size = reader.uint(4);
  if (size === 0 || size > PAGE_ENTRIES * MAX_PAGES) reader.fail("entry count out of range");
  const paged = size > PAGE_ENTRIES;
  const entries = paged ? undefined : readEntries(reader, size);
  const pages = paged ? readDigests(reader, Math.ceil(size / PAGE_ENTRIES)) : [];
  const rows = reader.uint(2);
  if (rows > MAX_LISTED || rows * MAIL_ROW_SIZE > reader.left) reader.fail("too many mail rows");
  const mail = Array.from({ length: rows }, () => ({
    envelope: reader.fixed(32),
    ephemeral: reader.fixed(32),
    viewTag: reader.uint(1),
  }));
  const erasedCount = reader.uint(2);
  if (erasedCount > MAX_LISTED) reader.fail("too many erased digests");
  const erased = readDigests(reader, erasedCount);
  if (!isAscending(erased)) reader.fail("erased digests are not ascending");
  reader.end();
  return { ...place, ...links, size, entries, pages, mail, erased };
}

/** @param size - Entries the page must hold: 4,096, or the rest on the last page. */
export function decodePage(page: Uint8Array, size: number): Entry[] {
  const reader = new ByteReader(page, "checkpoint page").expect(PAGE_MAGIC, "name and version 1");
  if (reader.uint(4) !== size) reader.fail(`${size} entries expected`);
  const entries = readEntries(reader, size);
  reader.end();
  return entries;
}

/**
 * Entries of a checkpoint whose pages were fetched, in order; checks that tags ascend over page bounds as well.
 *
 * @throws MalformedError.
 */
export function joinPages(body: CheckpointBody, pages: readonly Uint8Array[]): Checkpoint {
  const entries =
    body.entries ?? pages.flatMap((page, i) => decodePage(page, Math.min(PAGE_ENTRIES, body.size - i * PAGE_ENTRIES)));
  if (entries.length !== body.size) throw new MalformedError("checkpoint", 0, "pages are missing");
  if (!isAscending(entries.map(({ tag }) => tag)))
    throw new MalformedError("checkpoint page", 0, "entries do not ascend from page to page");
  return { ...body, entries };
}

function readEntries(reader: ByteReader, size: number): Entry[] {
  if (size * ENTRY_SIZE > reader.left) reader.fail("more entries than bytes");
  const entries = Array.from({ length: size }, () => ({
    tag: reader.fixed(32),
    header: reader.fixed(32),
    batch: reader.fixed(32),
  }));
  if (!isAscending(entries.map(({ tag }) => tag))) reader.fail("entries are not strictly ascending by tag");
  return entries;
}

const readDigests = (reader: ByteReader, count: number): Uint8Array[] =>
  Array.from({ length: count }, () => reader.fixed(32));

const isAscending = (items: readonly Uint8Array[]): boolean =>
  items.every((item, i) => i === 0 || compare(items[i - 1] as Uint8Array, item) < 0);

function ascending(items: readonly Uint8Array[], what: string): void {
  if (!isAscending(items)) throw new RangeError(`${what} must be strictly ascending`);
}
