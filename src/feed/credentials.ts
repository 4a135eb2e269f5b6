import { timingSafeEqual } from "node:crypto";
import { fromHex, hex, utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { random, type Random } from "../bytes/random.ts";

/** A fresh credential of a source: 32 random bytes as text. */
export const newCredential = (rand: Random = random): string => Buffer.from(rand(32)).toString("base64url");

/** What the gateway keeps of a credential. It is long and random, so that a plain hash says nothing. */
export const credentialHash = (credential: string): string => `sha256:${hex(sha256(utf8(credential)))}`;

/**
 * The entry whose credential was shown. Takes the same time whichever matches, and whether one does.
 *
 * @param shown - What the other side sent.
 */
export function whose<T extends { readonly credential: string }>(entries: readonly T[], shown: string): T | undefined {
  const hash = sha256(utf8(shown));
  let found: T | undefined;
  for (const entry of entries)
    if (timingSafeEqual(fromHex(entry.credential.slice("sha256:".length)), hash)) found ??= entry;
  return found;
}
