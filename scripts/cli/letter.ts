import { concat, fromUtf8, utf8 } from "../../src/bytes/bytes.ts";
import { random, type Random } from "../../src/bytes/random.ts";
import { ByteReader } from "../../src/bytes/reader.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { MedSealError } from "../../src/errors.ts";
import { KEMS, openWith, sealTo, type HpkeKeyPair } from "../../src/seal/hpke.ts";
import { pad, unpad } from "../../src/seal/padding.ts";
import type { Contact } from "./vault.ts";

/** A letter that is not for this identity. */
export class LetterError extends MedSealError {
  readonly code = "ERR_LETTER";
}

/** What kinds of letters there are: what a file of it begins with, and the sizes it may have. */
export interface LetterKind {
  readonly name: string;
  readonly sizes: readonly number[];
  /** What one is refused with that is not for this identity; LetterError without it. */
  readonly Refused?: new (message: string, options?: { cause?: unknown }) => MedSealError;
}

const magicOf = ({ name }: LetterKind): Uint8Array => utf8(`medseal/${name}/1\n`);

/** A text sealed to a contact: name ‖ kem u16 ‖ enc, sized u16 ‖ ciphertext of the padded text. */
export async function sealLetter(
  kind: LetterKind,
  text: string,
  { recipient: { kem, hpkeKey } }: Pick<Contact, "recipient">,
  rand: Random = random,
): Promise<Uint8Array> {
  const magic = magicOf(kind);
  const head = new ByteWriter().raw(magic).uint(kem, 2).finish();
  const { enc, ciphertext } = await sealTo(kem, hpkeKey, magic, head, pad(utf8(text), kind.sizes), rand);
  return concat(head, new ByteWriter().sized(enc, 2).raw(ciphertext).finish());
}

/** @throws LetterError, or the kind's own error; MalformedError. */
export async function openLetter(kind: LetterKind, bytes: Uint8Array, keys: HpkeKeyPair): Promise<string> {
  const { Refused = LetterError } = kind;
  const magic = magicOf(kind);
  const reader = new ByteReader(bytes, kind.name).expect(magic, "name and version 1");
  const kem = reader.uint(2);
  if (kem !== keys.kem || !(kem in KEMS)) throw new Refused(`the ${kind.name} is sealed to a key of another kind`);
  const head = new ByteWriter().raw(magic).uint(kem, 2).finish();
  const enc = reader.sized(2);
  const plain = await openWith(keys, enc, magic, head, reader.fixed(reader.left)).catch((cause: unknown) => {
    throw new Refused(`the ${kind.name} is sealed to somebody else, or was altered`, { cause });
  });
  const text = unpad(plain);
  try {
    return fromUtf8(text);
  } catch (cause) {
    throw new Refused(`the ${kind.name} is no text`, { cause });
  }
}
