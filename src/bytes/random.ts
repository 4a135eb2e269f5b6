import { createCipheriv, randomBytes } from "node:crypto";
import { hkdfExpand } from "./hash.ts";

/** A source of `size` random bytes. A parameter everywhere, so that tests and simulations can pass a seeded one. */
export type Random = (size: number) => Uint8Array;

/** The operating system's generator. */
export const random: Random = (size) => new Uint8Array(randomBytes(size));

/** Seconds since 1970-01-01T00:00:00Z, whole. */
export type Now = () => number;

export const now: Now = () => Math.floor(Date.now() / 1000);

/**
 * Bytes that only the holder of `key` can tell from random ones and that come again for the same `label`: the keystream of
 * AES-256-CTR under HKDF-Expand(key, label). For padding that a retry must not change.
 */
export function keyedRandom(key: Uint8Array, label: Uint8Array): Random {
  const cipher = createCipheriv("aes-256-ctr", hkdfExpand(key, label), new Uint8Array(16));
  return (size) => new Uint8Array(cipher.update(new Uint8Array(size)));
}
