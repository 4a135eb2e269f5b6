import { verifyTypedData, type HDNodeWallet } from "ethers";
import { concat, utf8 } from "../../src/bytes/bytes.ts";
import { random, type Random } from "../../src/bytes/random.ts";
import { ByteReader } from "../../src/bytes/reader.ts";
import { ByteWriter } from "../../src/bytes/writer.ts";
import { MedSealError } from "../../src/errors.ts";
import { KEMS, openWith, sealTo, type HpkeKeyPair } from "../../src/seal/hpke.ts";
import { pad, unpad } from "../../src/seal/padding.ts";
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

const MAGIC = utf8("medseal/request/1\n");
const SIZES = [4096, 16_384];
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

/** Signed with the asker's own key and sealed to the patient: name ‖ kem u16 ‖ enc, sized u16 ‖ ciphertext of padded JSON {card, request, signature}. */
export async function sealRequest(
  request: ConsentRequest,
  card: string,
  wallet: HDNodeWallet,
  { recipient: { kem, hpkeKey } }: Pick<Contact, "recipient">,
  rand: Random = random,
): Promise<Uint8Array> {
  const signature = await wallet.signTypedData(DOMAIN, TYPES, request);
  const text = JSON.stringify({ card, request, signature });
  const head = new ByteWriter().raw(MAGIC).uint(kem, 2).finish();
  const { enc, ciphertext } = await sealTo(kem, hpkeKey, MAGIC, head, pad(utf8(text), SIZES), rand);
  return concat(head, new ByteWriter().sized(enc, 2).raw(ciphertext).finish());
}

/** The request and the card of whoever signed it. @throws RequestError, MalformedError. */
export async function openRequest(
  bytes: Uint8Array,
  keys: HpkeKeyPair,
  me: string,
): Promise<{ request: ConsentRequest; card: string; signer: string }> {
  const reader = new ByteReader(bytes, "request").expect(MAGIC, "name and version 1");
  const kem = reader.uint(2);
  if (kem !== keys.kem || !(kem in KEMS)) throw new RequestError("the request is sealed to a key of another kind");
  const head = new ByteWriter().raw(MAGIC).uint(kem, 2).finish();
  const enc = reader.sized(2);
  const plain = await openWith(keys, enc, MAGIC, head, reader.fixed(reader.left)).catch((cause: unknown) => {
    throw new RequestError("the request is sealed to somebody else, or was altered", { cause });
  });
  const text = new TextDecoder().decode(unpad(plain));
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
