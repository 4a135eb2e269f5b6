import { fromHex, hex0x } from "../bytes/bytes.ts";
import { leafHash, merkleRoot } from "../log/merkle.ts";
import { isBytes32, type Consent, type Hex } from "./consent.ts";
import { ConsentInvalidError } from "./errors.ts";

/** The most streams that one consent names; more need a second consent. */
export const MAX_STREAMS = 256;

/**
 * Ids in ascending order, each once.
 *
 * @throws ConsentInvalidError when there is none, one comes twice or one is not an id.
 */
export function sortStreams(streams: readonly Hex[]): Hex[] {
  if (streams.length === 0) throw new ConsentInvalidError("scope", "names no stream");
  if (streams.length > MAX_STREAMS) throw new ConsentInvalidError("scope", `names more than ${MAX_STREAMS} streams`);
  if (!streams.every(isBytes32)) throw new ConsentInvalidError("scope", "names something that is not a stream id");
  // Lower-case hex of one length sorts as its bytes do.
  const sorted = [...streams].sort();
  if (sorted.some((id, i) => id === sorted[i - 1])) throw new ConsentInvalidError("scope", "names a stream twice");
  return sorted;
}

/** Scope of a consent over these streams: the id itself for one, the RFC 9162 root over the sorted ids for several. */
export function scopeOf(streams: readonly Hex[]): Hex {
  const sorted = sortStreams(streams);
  if (sorted.length === 1) return sorted[0] as Hex;
  return hex0x(merkleRoot(sorted.map((id) => leafHash(fromHex(id)))));
}

/** One consent of a chain with the streams behind its scope, as `IConsentRegistry.isPermitted` takes it. */
export interface Link {
  readonly consent: Consent;
  /** Ascending; empty when the scope is one stream id. */
  readonly streams: readonly Hex[];
}

/** The streams that a consent is over. */
export const streamsOf = ({ consent, streams }: Link): readonly Hex[] =>
  streams.length === 0 ? [consent.scope] : streams;

/** @throws ConsentInvalidError when the streams do not make up the scope. */
export function linkOf(consent: Consent, streams: readonly Hex[]): Link {
  if (scopeOf(streams) !== consent.scope) throw new ConsentInvalidError("scope", "is not made of these streams");
  return { consent, streams: streams.length === 1 ? [] : sortStreams(streams) };
}
