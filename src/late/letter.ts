import { utf8 } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import type { Random } from "../bytes/random.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import type { Consent } from "../consent/consent.ts";
import { isLate, signLate } from "../consent/release.ts";
import type { TypedSigner } from "../consent/sign.ts";
import type { RegistryAddress } from "../consent/typed-data.ts";
import { openSigned, sealSigned, type Recipient } from "../envelope/envelope.ts";
import { MedSealError } from "../errors.ts";
import { decodeBatch } from "../log/batch.ts";
import {
  checkEpoch,
  chunkRoot,
  itemDigest,
  MAX_ITEMS,
  verifyStatement,
  type Chunk,
  type Statement,
} from "../log/chunk.ts";
import type { HpkeKeyPair } from "../seal/hpke.ts";

const MAGIC = utf8("medseal/late/1\n");
const LABEL = "medseal/v1/late";

/** Bytes of a letter around its chunks, and of a chunk around its batch. */
export const AROUND_LETTER = MAGIC.length + 32 + 32 + 33 + 4 + 8 + 32 + 1 + 64;
export const AROUND_CHUNK = 4 + 4;

/** Readings of one stream that came when the gateway had forgotten the keys of their epochs. */
export interface LateLetter {
  /** Id of the WRITE consent, 32 bytes. */
  readonly write: Uint8Array;
  readonly stream: Uint8Array;
  /** Its items are the chunks, in their order. */
  readonly statement: Statement;
  /** 1 to 16. */
  readonly chunks: readonly LateChunk[];
}

export interface LateChunk {
  readonly epoch: number;
  /** The batch that the chunk makes alone, as `encodeBatch` gives it for its epoch. */
  readonly encoded: Uint8Array;
}

/** Chunks that were taken out of a letter. */
export interface OpenedLetter extends Omit<LateLetter, "chunks"> {
  readonly chunks: readonly (LateChunk & { readonly chunk: Chunk; readonly root: Uint8Array })[];
}

/** A letter whose readings the gateway did not sign, or that is about nothing that the gateway may write. */
export class LateForgedError extends MedSealError {
  readonly code = "ERR_LATE_FORGED";

  constructor() {
    super("late readings are not signed by a gateway that may write their stream", {
      hint: "they are not filed; ask the gateway whether it sent any",
    });
  }
}

/** See docs/formats.md, section 29. */
export function encodeLetter({ write, stream, statement, chunks }: LateLetter): Uint8Array {
  const writer = new ByteWriter().raw(MAGIC).fixed(write, 32).fixed(stream, 32);
  writer.fixed(statement.deviceKey, 33).uint(statement.firmware, 4).uint(statement.counter, 8);
  writer.fixed(statement.previous, 32).uint(chunks.length, 1);
  for (const { epoch, encoded } of chunks) writer.uint(epoch, 4).sized(encoded, 4);
  return writer.fixed(statement.signature, 64).finish();
}

/** What the patient knows of a stream that a letter is about, and of the leave to write it. */
export interface LetterPlace {
  readonly consent: Consent;
  readonly epochLength: number;
}

/**
 * Reads a letter and checks that its signer signed exactly these readings.
 *
 * @param placeOf - Undefined for a stream that is not written under the consent. @throws MalformedError, ChunkOutsideEpochError, LateForgedError.
 */
export function decodeLetter(
  bytes: Uint8Array,
  placeOf: (write: Uint8Array, stream: Uint8Array) => LetterPlace | undefined,
): OpenedLetter & { readonly consent: Consent } {
  const reader = new ByteReader(bytes, "late letter").expect(MAGIC, "name and version 1");
  const [write, stream] = [reader.fixed(32), reader.fixed(32)];
  const place = placeOf(write, stream);
  if (!place) throw new LateForgedError();
  const signer = {
    deviceKey: reader.fixed(33),
    firmware: reader.uint(4),
    counter: reader.uint64(),
    previous: reader.fixed(32),
  };
  const count = reader.uint(1);
  if (count === 0 || count > MAX_ITEMS) reader.fail(`a letter has 1 to ${MAX_ITEMS} chunks`);
  const chunks = Array.from({ length: count }, () => {
    const [epoch, encoded] = [reader.uint(4), reader.sized(4)];
    const [chunk, ...more] = decodeBatch(encoded, epoch * place.epochLength);
    if (!chunk || more.length > 0) return reader.fail("not one chunk");
    checkEpoch(chunk, epoch, place.epochLength);
    return { epoch, encoded, chunk, root: chunkRoot(chunk) };
  });
  const items = chunks.map(({ epoch, chunk, root }) => ({ stream, epoch, count: chunk.observations.length, root }));
  const statement = { ...signer, items: items.map(itemDigest), signature: reader.fixed(64) };
  reader.end();
  const { dataStart, dataEnd } = place.consent;
  const inWindow = chunks.every(
    ({ epoch }) => epoch * place.epochLength >= dataStart && epoch * place.epochLength < dataEnd,
  );
  if (!inWindow || !items.every((item, i) => verifyStatement(statement, i, item))) throw new LateForgedError();
  return { write, stream, statement, chunks, consent: place.consent };
}

/** Signs a letter as the gateway and seals it to the patient: a block that goes by mail like any envelope. */
export async function sealLetter(
  letter: LateLetter,
  consent: Consent,
  signer: TypedSigner,
  to: Recipient,
  place: RegistryAddress,
  rand?: Random,
): Promise<Uint8Array> {
  const payload = encodeLetter(letter);
  const signature = await signLate(signer, place, { consent, digest: sha256(payload) });
  return sealSigned(LABEL, { payload, signature }, to, place, rand);
}

/** @throws MalformedError; LateForgedError; the HPKE layer's error when it is for somebody else or no late letter. */
export async function openLetter(
  block: Uint8Array,
  keys: HpkeKeyPair,
  place: RegistryAddress,
  placeOf: Parameters<typeof decodeLetter>[1],
): Promise<OpenedLetter> {
  const { payload, signature } = await openSigned(LABEL, block, keys, place);
  const { consent, ...letter } = decodeLetter(payload, placeOf);
  if (!isLate(place, { consent, digest: sha256(payload) }, signature)) throw new LateForgedError();
  return letter;
}
