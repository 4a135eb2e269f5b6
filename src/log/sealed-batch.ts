import { equal } from "../bytes/bytes.ts";
import { MalformedError } from "../errors.ts";
import { sha256 } from "../bytes/hash.ts";
import { batchKey, headerKey, tagOf } from "../keys/epoch.ts";
import { encodeContext, type SealContext } from "../seal/context.ts";
import { pad, unpad } from "../seal/padding.ts";
import { open, openWithMessageKey, seal } from "../seal/seal.ts";
import type { StreamDescriptor } from "./stream.ts";
import { BATCH_CLASSES, decodeBatch, encodeBatch, factsOfBatch } from "./batch.ts";
import type { Entry } from "./checkpoint.ts";
import {
  checkEpoch,
  chunkRoot,
  factsOf,
  verifyStatement,
  type Chunk,
  type ChunkFacts,
  type Statement,
} from "./chunk.ts";
import { ChunkOutsideEpochError, MismatchError, SignatureInvalidError } from "./errors.ts";
import { decodeHeader, encodeHeader, HEADER_SIZE, type Header, type HeaderChunk } from "./header.ts";

/** A chunk with the statement that covers it. */
export interface SignedChunk extends Chunk {
  readonly statement: Statement;
  readonly index: number;
  /** The root that was signed, when it is at hand; otherwise it is computed again. */
  readonly root?: Uint8Array;
}

/** A batch's place: everything of its context but the kind of block. */
export type BatchPlace = Omit<SealContext, "kind">;

/** Keys of one epoch. */
export interface EpochKeys {
  readonly data: Uint8Array;
  readonly audit: Uint8Array;
}

export interface SealedBatch {
  readonly entry: Entry;
  readonly header: Uint8Array;
  readonly batch: Uint8Array;
}

/** What a header says besides what follows from its chunks and place. */
export type HeaderLinks = Pick<Header, "sequence" | "previous" | "continues" | "last" | "late">;

/**
 * Seals the chunks of one batch and its header under the keys of their epoch. Same input, same bytes.
 *
 * @param encoded - The chunks as `encodeBatch` gives them, when that is at hand.
 * @throws ChunkOutsideEpochError, TooLargeError (cut the batch), SizeClassError.
 */
export function sealBatch(
  signed: readonly SignedChunk[],
  keys: EpochKeys,
  place: BatchPlace,
  stream: StreamDescriptor,
  links: HeaderLinks,
  encoded?: Uint8Array,
): SealedBatch {
  const chunks = signed.map(withFacts);
  for (const chunk of chunks) checkEpoch(chunk, place.epoch, stream.epochLength);
  const classes = BATCH_CLASSES.slice(stream.batchClass);
  const plain = pad(encoded ?? encodeBatch(chunks, place.epoch * stream.epochLength), classes);
  const batch = seal(batchKey(keys.data), encodeContext({ ...place, kind: "batch" }), plain);

  const header: Header = {
    stream: place.stream,
    generation: place.generation,
    epoch: place.epoch,
    n: place.n,
    ...links,
    ...span(chunks.map(({ facts }) => facts)),
    batch: sha256(batch),
    chunks: chunks.map(headerChunk),
  };
  const sealedHeader = seal(
    headerKey(keys.audit),
    encodeContext({ ...place, kind: "header" }),
    pad(encodeHeader(header), [HEADER_SIZE]),
  );
  const entry = { tag: tagOf(keys.audit, place.n), header: sha256(sealedHeader), batch: header.batch };
  return { entry, header: sealedHeader, batch };
}

/** Whole seconds of the earliest and the latest effective time; 0 and 0 without one. */
function span(facts: readonly ChunkFacts[]): { earliest: number; latest: number } {
  const earliest = Math.min(Infinity, ...facts.map((chunk) => chunk.earliest));
  return { earliest: earliest === Infinity ? 0 : earliest, latest: Math.max(0, ...facts.map((chunk) => chunk.latest)) };
}

function headerChunk({ statement, index, root, ...chunk }: SignedChunk & { readonly facts: ChunkFacts }): HeaderChunk {
  const { observations, facts } = chunk;
  return { statement, index, count: observations.length, missing: facts.missing, root: root ?? chunkRoot(chunk) };
}

const withFacts = <T extends Chunk>(chunk: T): T & { readonly facts: ChunkFacts } => ({
  ...chunk,
  facts: chunk.facts ?? factsOf(chunk.observations),
});

/**
 * Opens a header and checks it against its place and entry, and each chunk's signature against its statement.
 *
 * @throws SealCommitmentError, SealAlteredError, MalformedError, MismatchError (names what differs).
 */
export function openHeader(block: Uint8Array, auditEpochKey: Uint8Array, place: BatchPlace, entry: Entry): Header {
  checkHeaderBlock(block, entry);
  if (!equal(tagOf(auditEpochKey, place.n), entry.tag)) throw new MismatchError("the entry has another tag");
  return readHeader(open(headerKey(auditEpochKey), headerContext(place), block), place, entry);
}

/**
 * `openHeader` with the single-use key of this one header, see `messageKey`: for who holds no key of the epoch. Whether tag and salt follow
 * from that key they cannot tell.
 *
 * @throws as `openHeader`.
 */
export function openHeaderAlone(block: Uint8Array, ofMessage: Uint8Array, place: BatchPlace, entry: Entry): Header {
  checkHeaderBlock(block, entry);
  return readHeader(openWithMessageKey(ofMessage, headerContext(place), block), place, entry);
}

const headerContext = (place: BatchPlace): Uint8Array => encodeContext({ ...place, kind: "header" });

function checkHeaderBlock(block: Uint8Array, entry: Entry): void {
  if (block.length !== HEADER_SIZE) throw new MalformedError("sealed header", block.length, "1024 bytes expected");
  if (!equal(sha256(block), entry.header)) throw new MismatchError("the entry names another header");
}

function readHeader(padded: Uint8Array, place: BatchPlace, entry: Entry): Header {
  const header = decodeHeader(unpad(padded));
  const { stream, generation, epoch, n } = header;
  if (!equal(stream, place.stream)) throw new MismatchError("the header names another stream");
  if (generation !== place.generation || epoch !== place.epoch || n !== place.n)
    throw new MismatchError("the header names another place");
  if (!equal(header.batch, entry.batch)) throw new MismatchError("the header names another batch");
  header.chunks.forEach(({ statement, index, count, root }, i) => {
    const item = { stream, epoch, count, root };
    if (!verifyStatement(statement, index, item))
      throw new SignatureInvalidError(`the signature of chunk ${i} does not cover it`);
  });
  return header;
}

/**
 * Opens a batch and checks every observation against the signed roots in its header.
 *
 * @throws SealCommitmentError, SealAlteredError, MalformedError, ChunkOutsideEpochError, MismatchError (names the chunk).
 */
export function openBatch(
  block: Uint8Array,
  dataEpochKey: Uint8Array,
  place: BatchPlace,
  header: Header,
  epochLength: number,
): Chunk[] {
  checkBatchBlock(block);
  return readBatch(open(batchKey(dataEpochKey), batchContext(place), block), header, epochLength);
}

/** The checks of `openBatch`, for who needs no reading: in a third of the time. @throws as `openBatch`. */
export function checkBatch(
  block: Uint8Array,
  dataEpochKey: Uint8Array,
  place: BatchPlace,
  header: Header,
  epochLength: number,
): void {
  checkBatchBlock(block);
  checkFacts(unpad(open(batchKey(dataEpochKey), batchContext(place), block)), header, epochLength);
}

/** `openBatch` with the single-use key of this one batch, see `messageKey`. @throws as `openBatch`. */
export function openBatchAlone(
  block: Uint8Array,
  ofMessage: Uint8Array,
  place: BatchPlace,
  header: Header,
  epochLength: number,
): Chunk[] {
  checkBatchBlock(block);
  return readBatch(openWithMessageKey(ofMessage, batchContext(place), block), header, epochLength);
}

const batchContext = (place: BatchPlace): Uint8Array => encodeContext({ ...place, kind: "batch" });

function checkBatchBlock(block: Uint8Array): void {
  if (!BATCH_CLASSES.some((size) => size === block.length))
    throw new MalformedError("sealed batch", block.length, "the size of a class expected");
}

function readBatch(padded: Uint8Array, header: Header, epochLength: number): Chunk[] {
  const plain = unpad(padded);
  checkFacts(plain, header, epochLength);
  return decodeBatch(plain, header.epoch * epochLength);
}

function checkFacts(plain: Uint8Array, header: Header, epochLength: number): void {
  const base = header.epoch * epochLength;
  const facts = factsOfBatch(plain, base);
  if (facts.length !== header.chunks.length)
    throw new MismatchError("header and batch differ in their number of chunks");
  facts.forEach(({ count, missing, root, latest }, i) => {
    const signed = header.chunks[i] as HeaderChunk;
    if (count !== signed.count || missing !== signed.missing)
      throw new MismatchError(`chunk ${i} has not the signed number of readings`);
    if (!equal(root, signed.root)) throw new MismatchError(`chunk ${i} has not the signed root`);
    // No time lies before the epoch, from which they count.
    if (latest >= base + epochLength)
      throw new ChunkOutsideEpochError(`chunk ${i} does not lie in epoch ${header.epoch}`);
  });
  const earliest = facts.reduce((least, one) => Math.min(least, one.earliest), Infinity);
  const latest = facts.reduce((most, one) => Math.max(most, one.latest), 0);
  if ((earliest === Infinity ? 0 : earliest) !== header.earliest || latest !== header.latest)
    throw new MismatchError("header and batch differ in their times");
}
