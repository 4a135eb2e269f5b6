import { fromHex, hex0x, utf8 } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { consentId } from "../consent/consent.ts";
import { decodeConsent, encodeConsent } from "../consent/encoding.ts";
import { INTRODUCTION_SIZE } from "../consent/introduction.ts";
import { linkOf, streamsOf, type Link } from "../consent/scope.ts";
import type { ConsentRef } from "../consent/watch.ts";
import { getAddress } from "ethers";
import { UsageError } from "../errors.ts";
import type { Hex } from "../consent/consent.ts";
import { decodeCover, encodeCover } from "../keys/cover-format.ts";
import type { Cover } from "../keys/cover.ts";
import { readDescriptor, writeDescriptor, type StreamDescriptor } from "../log/stream.ts";

const MAGIC = utf8("medseal/release/1\n");
const KINDS = ["release", "lease"] as const;
const ROLES = ["current", "retired", "spare", "filed"] as const;
const NO_DATA_KEYS = 0;
const DATA_KEYS = 1;
const MAX_LINKS = 4;

/** Keys to one generation of one stream, over the window of the consent they come with. */
export interface GenerationKeys {
  readonly stream: StreamDescriptor;
  readonly generation: number;
  /** `filed`: the patient wrote it, late readings in epochs of their own. */
  readonly role: (typeof ROLES)[number];
  /** The consent under which the generation's one writer writes it. */
  readonly write: Link;
  /** Cover of the data tree; absent where only AUDIT was granted. */
  readonly data: Cover | undefined;
  readonly audit: Cover;
}

/** What an envelope holds: the whole consent (behind its parents) and keys. A lease is the envelope of a gateway. */
export interface Release {
  readonly kind: (typeof KINDS)[number];
  /** Unix seconds; of two leases under one consent the newer counts. */
  readonly issuedAt: number;
  /** How the patient names themselves to this grantee. */
  readonly from: string;
  /** 65 bytes that tie the grantor's address to the one that the grantee knows them by, see `introduce`; absent without one. */
  readonly introduction?: Uint8Array;
  /** Root consent first, the grantee's own last; 1 to 4. */
  readonly chain: readonly Link[];
  readonly keys: readonly GenerationKeys[];
  /** Lease: consents whose end retires the current generations. Empty in a release. */
  readonly retiredBy: readonly ConsentRef[];
}

function writeLink(writer: ByteWriter, { consent, streams }: Link): void {
  writer.sized(encodeConsent(consent), 2).uint(streams.length, 2);
  for (const stream of streams) writer.fixed(fromHex(stream), 32);
}

function readLink(reader: ByteReader): Link {
  const consent = decodeConsent(reader.sized(2));
  const streams = Array.from({ length: reader.uint(2) }, () => hex0x(reader.fixed(32)));
  const link = linkOf(consent, streamsOf({ consent, streams }));
  const inForm = link.streams.length === streams.length && link.streams.every((id, i) => id === streams[i]);
  return inForm ? link : reader.fail("streams of a consent are not in ascending order");
}

/** @throws UsageError when a text or a list is longer than the format has room for. */
export function encodeRelease(release: Release): Uint8Array {
  try {
    return encode(release);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError("a name or a list in the release is longer than the format allows", { cause: error });
  }
}

function encode(release: Release): Uint8Array {
  const writer = new ByteWriter()
    .raw(MAGIC)
    .uint(KINDS.indexOf(release.kind), 1)
    .uint(release.issuedAt, 6)
    .text(release.from)
    .sized(release.introduction ?? new Uint8Array(0), 1);
  writer.uint(release.chain.length, 1);
  for (const link of release.chain) writeLink(writer, link);
  // The leaves to write behind these keys, each once, in the order in which they come up.
  const ids = release.keys.map(({ write }) => consentId(write.consent));
  const once = [...new Set(ids)];
  writer.uint(once.length, 2);
  for (const id of once) writeLink(writer, (release.keys[ids.indexOf(id)] as GenerationKeys).write);
  writer.uint(release.keys.length, 2);
  for (const [i, { stream, generation, role, data, audit }] of release.keys.entries()) {
    writeDescriptor(writer, stream).uint(generation, 4).uint(ROLES.indexOf(role), 1);
    writer.uint(once.indexOf(ids[i] as Hex), 2);
    writer.uint(data ? DATA_KEYS : NO_DATA_KEYS, 1);
    if (data) writer.sized(encodeCover(data), 4);
    writer.sized(encodeCover(audit), 4);
  }
  writer.uint(release.retiredBy.length, 2);
  for (const { grantor, id } of release.retiredBy) writer.fixed(fromHex(grantor), 20).fixed(fromHex(id), 32);
  return writer.finish();
}

/** @throws MalformedError unless the bytes are exactly one release; ConsentInvalidError, StatementDiffersError for a consent in it. */
export function decodeRelease(bytes: Uint8Array): Release {
  const reader = new ByteReader(bytes, "release").expect(MAGIC, "name and version 1");
  const kind = reader.choice(KINDS, "kind of release");
  const about = { kind, issuedAt: reader.uint(6), from: reader.text() };
  const introduction = reader.sized(1);
  if (introduction.length !== 0 && introduction.length !== INTRODUCTION_SIZE)
    reader.fail("an introduction has 65 bytes, or none");
  const head = introduction.length === 0 ? about : { ...about, introduction };
  const links = reader.uint(1);
  if (links < 1 || links > MAX_LINKS) reader.fail(`a chain has 1 to ${MAX_LINKS} consents`);
  const chain = Array.from({ length: links }, () => readLink(reader));
  const writes = Array.from({ length: reader.uint(2) }, () => readLink(reader));
  let named = 0;
  const keys = Array.from({ length: reader.uint(2) }, () => {
    const place = { stream: readDescriptor(reader), generation: reader.uint(4), role: reader.choice(ROLES, "role") };
    const index = reader.uint(2);
    if (index > named) reader.fail("leaves to write are not listed as they come up");
    named = Math.max(named, index + 1);
    const write = writes[index] ?? reader.fail("the leave to write is not listed");
    const data = reader.choice([false, true], "data keys flag") ? decodeCover(reader.sized(4)) : undefined;
    return { ...place, write, data, audit: decodeCover(reader.sized(4)) };
  });
  const once = new Set(writes.map(({ consent }) => consentId(consent)));
  if (named !== writes.length || once.size !== writes.length)
    reader.fail("a leave to write is listed twice or for nothing");
  const places = keys.map(({ stream, generation }) => `${hex0x(stream.id)}/${generation}`);
  if (new Set(places).size !== places.length) reader.fail("a generation comes twice");
  const retiredBy = Array.from({ length: reader.uint(2) }, () => ({
    grantor: getAddress(hex0x(reader.fixed(20))) as Hex,
    id: hex0x(reader.fixed(32)),
  }));
  if (kind === "release" && retiredBy.length > 0) reader.fail("a release retires nothing");
  reader.end();
  return { ...head, chain, keys, retiredBy };
}
