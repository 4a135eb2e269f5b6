import { equal, hex0x } from "../bytes/bytes.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { ACTIONS } from "../consent/actions.ts";
import type { Hex } from "../consent/consent.ts";
import { EXIT, MalformedError, MedSealError } from "../errors.ts";
import type { ReadBlock } from "../archive/checkpoints.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import type { InboxKeys } from "../grantee/inbox.ts";
import { openLetter, type LetterPlace, type OpenedLetter } from "../late/letter.ts";
import type { MailRow } from "../log/checkpoint.ts";
import { mayBeMine } from "../log/mail.ts";
import { HpkeOpenError } from "../seal/hpke.ts";
import { covers } from "./consents.ts";
import type { PatientState } from "./state.ts";

/** What a gateway had for the patient. */
export interface LateBox {
  readonly letters: readonly (OpenedLetter & { readonly digest: Hex; readonly filed: boolean })[];
  /** Letters that must not be used: their gateway did not sign them, or they are not as they say. */
  readonly forged: number;
  /** Mail that may be the patient's and that the store does not have, or has altered. */
  readonly unreadable: number;
}

/** Looks through the mail of a gateway's checkpoints for late readings; what is for others, or something else, is passed over. */
export async function readLateBox(
  state: PatientState,
  mail: readonly MailRow[],
  keys: InboxKeys,
  at: RegistryAddress,
  read: ReadBlock,
): Promise<LateBox> {
  const filed = new Set(state.filed ?? []);
  const letters: LateBox["letters"][number][] = [];
  let [forged, unreadable] = [0, 0];
  for (const { envelope } of mail.filter((row) => mayBeMine(row, keys.viewSecret))) {
    const digest = hex0x(envelope);
    if (letters.some((letter) => letter.digest === digest)) continue;
    try {
      const letter = await openLetter(await read(envelope), keys.hpke, at, placeIn(state));
      letters.push({ ...letter, digest, filed: filed.has(digest) });
    } catch (error) {
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      if (error instanceof BlockMissingError || error instanceof BlockAlteredError) unreadable += 1;
      else if (!(error instanceof HpkeOpenError || error instanceof MalformedError)) forged += 1;
    }
  }
  return { letters, forged, unreadable };
}

/** Only a leave to write that this patient has given, for a stream in its scope. */
const placeIn =
  ({ consents, streams }: PatientState) =>
  (write: Uint8Array, stream: Uint8Array): LetterPlace | undefined => {
    const record = consents.find(({ id, consent }) => id === hex0x(write) && (consent.actions & ACTIONS.WRITE) !== 0);
    const found = streams.find(({ descriptor }) => equal(descriptor.id, stream));
    return record && covers(record, stream) && found
      ? { consent: record.consent, epochLength: found.descriptor.epochLength }
      : undefined;
  };
