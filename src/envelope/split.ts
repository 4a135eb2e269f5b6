import type { KemId } from "../seal/hpke.ts";
import { ENVELOPE_CLASS, envelopeSize } from "./envelope.ts";
import { encodeRelease, type GenerationKeys, type Release } from "./payload.ts";

/**
 * A release as few releases, each with a part of its keys, whose envelopes have the one size that goes by mail. A generation that is
 * larger than that on its own stands in a larger one.
 */
export function split(release: Release, kem: KemId): Release[] {
  const fits = (keys: readonly GenerationKeys[]): boolean =>
    envelopeSize(kem, encodeRelease({ ...release, keys }).length) === ENVELOPE_CLASS;
  const parts: GenerationKeys[][] = [[]];
  for (const generation of release.keys) {
    const last = parts.at(-1) as GenerationKeys[];
    if (last.length === 0 || fits([...last, generation])) last.push(generation);
    else parts.push([generation]);
  }
  return parts.map((keys) => ({ ...release, keys }));
}
