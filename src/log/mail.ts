import { utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { random, type Random } from "../bytes/random.ts";
import { x25519, x25519PublicKey } from "../seal/x25519.ts";
import type { MailRow } from "./checkpoint.ts";

/** Mail rows of every checkpoint; doubled on a schedule that does not depend on the mail. */
export const MAIL_ROWS = 16;

/** First byte of SHA-256("medseal/v1/view" ‖ shared secret ‖ ephemeral ‖ envelope digest). */
const viewTag = (shared: Uint8Array, ephemeral: Uint8Array, envelope: Uint8Array): number =>
  sha256(utf8("medseal/v1/view"), shared, ephemeral, envelope)[0] as number;

/** A row that the holder of `viewKey` (X25519, 32 bytes) recognises, and one in 256 of all others. */
export function mailRow(envelope: Uint8Array, viewKey: Uint8Array, rand: Random = random): MailRow {
  const secret = rand(32);
  const ephemeral = x25519PublicKey(secret);
  return { envelope, ephemeral, viewTag: viewTag(x25519(secret, viewKey), ephemeral, envelope) };
}

/** A row for nobody; looks like any other. */
export const emptyRow = (envelope: Uint8Array, rand: Random = random): MailRow =>
  mailRow(envelope, x25519PublicKey(rand(32)), rand);

/** True for every row made for this view key, and for one in 256 of the others. */
export function mayBeMine(row: MailRow, viewSecret: Uint8Array): boolean {
  try {
    return viewTag(x25519(viewSecret, row.ephemeral), row.ephemeral, row.envelope) === row.viewTag;
  } catch {
    return false; // a point of small order: nobody's row
  }
}
