import type { RegistryAddress } from "../consent/typed-data.ts";
import { openEnvelope } from "../envelope/envelope.ts";
import type { Release } from "../envelope/payload.ts";
import { EXIT, MalformedError, MedSealError } from "../errors.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import type { MailRow } from "../log/checkpoint.ts";
import { mayBeMine } from "../log/mail.ts";
import { HpkeOpenError, type HpkeKeyPair } from "../seal/hpke.ts";
import type { ReadBlock } from "../archive/checkpoints.ts";

export interface InboxKeys {
  readonly hpke: HpkeKeyPair;
  /** X25519 secret, 32 bytes. */
  readonly viewSecret: Uint8Array;
}

export interface Inbox {
  readonly releases: readonly { readonly release: Release; readonly envelope: Uint8Array }[];
  /** Envelopes that were sealed to us and must not be used: forged, or with a consent that does not say what its fields say. */
  readonly refused: readonly { readonly error: MedSealError; readonly envelope: Uint8Array }[];
  /** Envelopes that may be ours and that the store does not have, or has altered. */
  readonly unreadable: readonly { readonly error: MedSealError; readonly envelope: Uint8Array }[];
  /** Rows looked at, rows whose view tag fitted, and of these the ones that were not ours after all. */
  readonly rows: number;
  readonly fetched: number;
}

/**
 * Looks through the mail of checkpoints for envelopes of this party: one X25519 a row, one envelope in 256 fetched for nothing.
 *
 * @throws StoreUnavailableError. An envelope that is not ours, or is no envelope, is passed over.
 */
export async function readInbox(
  mail: readonly MailRow[],
  keys: InboxKeys,
  at: RegistryAddress,
  read: ReadBlock,
): Promise<Inbox> {
  const candidates = mail.filter((row) => mayBeMine(row, keys.viewSecret));
  const releases: { release: Release; envelope: Uint8Array }[] = [];
  const refused: { error: MedSealError; envelope: Uint8Array }[] = [];
  const unreadable: { error: MedSealError; envelope: Uint8Array }[] = [];
  for (const { envelope } of candidates) {
    try {
      const block = await read(envelope);
      releases.push({ release: await openEnvelope(block, keys.hpke, at), envelope });
    } catch (error) {
      // Whatever a stranger put there, or left out, must not keep the other mail from being read.
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      if (error instanceof BlockMissingError || error instanceof BlockAlteredError) {
        unreadable.push({ error, envelope });
        continue;
      }
      const notOurs = error instanceof HpkeOpenError || error instanceof MalformedError;
      if (!notOurs) refused.push({ error, envelope });
    }
  }
  return { releases, refused, unreadable, rows: mail.length, fetched: candidates.length };
}
