import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { create as multihash } from "multiformats/hashes/digest";
import { MalformedError } from "../errors.ts";

/** Code of SHA2-256 in the multicodec table. */
export const SHA2_256 = 0x12;
export const DIGEST_SIZE = 32;

/** The CIDv1 of a raw block with this SHA-256 digest. @throws RangeError unless the digest has 32 bytes. */
export function rawCid(digest: Uint8Array): CID {
  return cidWith(raw.code, digest);
}

/** The CIDv1 of a block in the given codec. @throws RangeError unless the digest has 32 bytes. */
export function cidWith(codec: number, digest: Uint8Array): CID {
  if (digest.length !== DIGEST_SIZE) throw new RangeError(`a digest has ${DIGEST_SIZE} bytes, got ${digest.length}`);
  return CID.createV1(codec, multihash(SHA2_256, digest));
}

/** Version 1, raw, SHA2-256, 32 bytes: what stands before the digest of every raw block. */
const PREFIX = [0x01, raw.code, SHA2_256, DIGEST_SIZE] as const;
/** RFC 4648, section 6, in lower case. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * The CID as people and tools write it: CIDv1, raw, SHA2-256, base32 (`bafkrei…`). By hand, because an audit names a file by it for every block.
 *
 * @throws RangeError unless the digest has 32 bytes.
 */
export function cidOf(digest: Uint8Array): string {
  if (digest.length !== DIGEST_SIZE) throw new RangeError(`a digest has ${DIGEST_SIZE} bytes, got ${digest.length}`);
  let [text, bits, value] = ["b", 0, 0];
  for (let i = -PREFIX.length; i < DIGEST_SIZE; i++) {
    value = ((value << 8) | ((i < 0 ? PREFIX[i + PREFIX.length] : digest[i]) as number)) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >> (bits - 5)) & 31] as string;
  }
  return text + (BASE32[(value << (5 - bits)) & 31] as string);
}

/**
 * The digest inside a CID as `cidOf` writes it.
 *
 * @throws MalformedError for every other form: CIDv0, another base, codec or hash, upper case, a path.
 */
export function digestOf(cid: string): Uint8Array {
  const parsed = parseCid(cid);
  if (!isRaw(parsed)) throw new MalformedError("CID", 0, "not that of a raw block hashed by SHA2-256");
  return digestIn(parsed);
}

/** @throws MalformedError unless `text` is a CIDv1 in lower-case base32 with a SHA2-256 digest. */
export function parseCid(text: string): CID {
  let parsed: CID;
  try {
    parsed = CID.parse(text);
  } catch {
    throw new MalformedError("CID", 0, "not a CID");
  }
  const whole = parsed.version === 1 && parsed.multihash.code === SHA2_256 && parsed.multihash.size === DIGEST_SIZE;
  if (!whole || parsed.toString() !== text) {
    throw new MalformedError("CID", 0, "not a CIDv1 in base32 with a SHA2-256 digest");
  }
  return parsed;
}

/** Whether this is a CID as `rawCid` makes it. */
export const isRaw = (cid: CID): boolean =>
  cid.version === 1 &&
  cid.code === raw.code &&
  cid.multihash.code === SHA2_256 &&
  cid.multihash.digest.length === DIGEST_SIZE;

/** A copy, so that nobody changes a CID through its digest. */
export const digestIn = (cid: CID): Uint8Array => cid.multihash.digest.slice();
