import { verifyTypedData, type HDNodeWallet } from "ethers";
import { random, type Random } from "../../src/bytes/random.ts";
import { MedSealError } from "../../src/errors.ts";
import type { HpkeKeyPair } from "../../src/seal/hpke.ts";
import { openLetter, sealLetter, type LetterKind } from "./letter.ts";
import { isPlain } from "./people.ts";
import type { Contact } from "./vault.ts";

/** What somebody asks a patient for; times in unix seconds. */
export interface ConsentRequest {
  readonly patient: string;
  readonly streams: readonly string[];
  readonly dataStart: number;
  readonly dataEnd: number;
  readonly periodEnd: number;
  readonly purpose: string;
  readonly reason: string;
}

/** A request that is not for this identity, not of the format, or not signed by whose card is in it. */
export class RequestError extends MedSealError {
  readonly code = "ERR_REQUEST";
}

const REQUEST: LetterKind = { name: "request", sizes: [4096, 16_384], Refused: RequestError };
const DOMAIN = { name: "MedSeal request", version: "1" };
const TYPES = {
  Request: [
    { name: "patient", type: "address" },
    { name: "streams", type: "string[]" },
    { name: "dataStart", type: "uint64" },
    { name: "dataEnd", type: "uint64" },
    { name: "periodEnd", type: "uint64" },
    { name: "purpose", type: "string" },
    { name: "reason", type: "string" },
  ],
};

/** Signed with the asker's own key and sealed to the patient: a letter of JSON {card, request, signature}. */
export async function sealRequest(
  request: ConsentRequest,
  card: string,
  wallet: HDNodeWallet,
  patient: Pick<Contact, "recipient">,
  rand: Random = random,
): Promise<Uint8Array> {
  const signature = await wallet.signTypedData(DOMAIN, TYPES, request);
  const text = JSON.stringify({ card, request, signature });
  return sealLetter(REQUEST, text, patient, rand);
}

/** The request and the card of whoever signed it. @throws RequestError, MalformedError. */
export async function openRequest(
  bytes: Uint8Array,
  keys: HpkeKeyPair,
  me: string,
): Promise<{ request: ConsentRequest; card: string; signer: string }> {
  const text = await openLetter(REQUEST, bytes, keys);
  try {
    const { card, request, signature } = JSON.parse(text) as {
      card: string;
      request: ConsentRequest;
      signature: string;
    };
    const signer = verifyTypedData(DOMAIN, TYPES, request, signature);
    if (![request.reason, request.purpose, ...request.streams].every(isPlain))
      throw new RequestError("a text in the request holds control or invisible characters");
    if (request.patient !== me) throw new RequestError("the request is for somebody else");
    return { request, card, signer };
  } catch (error) {
    if (error instanceof MedSealError) throw error;
    throw new RequestError("the request is not well-formed", { cause: error });
  }
}
