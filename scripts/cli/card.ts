import { SigningKey, TypedDataEncoder, verifyTypedData, wordlists, type HDNodeWallet } from "ethers";
import { fromHex, hex0x, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { isAddress, type Hex } from "../../src/consent/consent.ts";
import { MedSealError } from "../../src/errors.ts";
import { isKemId, KEMS } from "../../src/seal/hpke.ts";
import { x25519PublicKey } from "../../src/seal/x25519.ts";
import { isPlain } from "./people.ts";
import type { Contact, Vault } from "./vault.ts";

/** A card that cannot be used: not of the format, or not signed by the address on it. */
export class CardError extends MedSealError {
  readonly code = "ERR_CARD";
}

const FORMAT = "medseal-card";
const DOMAIN = { name: "MedSeal card", version: "1" };
const TYPES = {
  Card: [
    { name: "name", type: "string" },
    { name: "holder", type: "address" },
    { name: "kem", type: "uint16" },
    { name: "hpkeKey", type: "bytes" },
    { name: "viewKey", type: "bytes32" },
  ],
};

/** What somebody hands out of themselves: a name, an address, public keys, and the address's signature under them; JSON. */
export async function cardOf(vault: Vault, wallet: HDNodeWallet): Promise<string> {
  const { kem, publicKey } = vault.hpke;
  const card = {
    name: vault.name,
    holder: wallet.address,
    kem,
    hpkeKey: hex0x(publicKey),
    viewKey: hex0x(x25519PublicKey(vault.viewSecret)),
  };
  const signature = await wallet.signTypedData(DOMAIN, TYPES, card);
  return `${JSON.stringify({ format: FORMAT, version: 1, ...card, signature }, undefined, 2)}\n`;
}

/** @throws CardError saying why a card cannot be used. */
export function readCard(text: string): Contact {
  const card = parsed(text);
  const { format, version, name, holder, kem, hpkeKey, viewKey, signature } = card;
  if (format !== FORMAT || version !== 1) throw new CardError("this is no contact card, version 1");
  const wellFormed =
    Object.keys(card).length === 8 &&
    typeof name === "string" &&
    isPlain(name) &&
    name.trim() !== "" &&
    name.length <= 64 &&
    isAddress(holder) &&
    typeof kem === "number" &&
    isKemId(kem) &&
    isHex(hpkeKey) &&
    isHex(viewKey) &&
    isHex(signature);
  if (!wellFormed) throw new CardError("a field of the card is missing or malformed");
  const recipient = { kem, hpkeKey: fromHex(hpkeKey), viewKey: fromHex(viewKey) };
  if (recipient.hpkeKey.length !== KEMS[kem].publicKey || recipient.viewKey.length !== 32)
    throw new CardError("a key on the card has the wrong length");
  if (signerOf({ name, holder, kem, hpkeKey, viewKey }, signature) !== holder)
    throw new CardError("the card is not signed by the address on it", { hint: "ask for it again, by another way" });
  const signed = TypedDataEncoder.hash(DOMAIN, TYPES, { name, holder, kem, hpkeKey, viewKey });
  const publicKey = SigningKey.computePublicKey(SigningKey.recoverPublicKey(signed, signature), true) as Hex;
  return { name, address: holder, recipient, publicKey };
}

/** Eight words (88 bits) over address and keys: to compare by telephone. Words of BIP-39. */
export function fingerprintOf({ address, recipient }: Pick<Contact, "address" | "recipient">): string {
  const digest = sha256(utf8("medseal/v1/fingerprint"), fromHex(address), recipient.hpkeKey, recipient.viewKey);
  let bits = 0n;
  for (const byte of digest.subarray(0, 11)) bits = (bits << 8n) | BigInt(byte);
  const english = wordlists["en"];
  if (!english) throw new Error("no word list");
  return Array.from({ length: 8 }, (_, i) => english.getWord(Number((bits >> BigInt(77 - 11 * i)) & 2047n))).join(" ");
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CardError("this is no contact card", { hint: "a card is what medseal keys card writes" });
}

const isHex = (value: unknown): value is Hex => typeof value === "string" && /^0x(?:[0-9a-f]{2})+$/.test(value);

function signerOf(card: object, signature: string): string | undefined {
  try {
    return verifyTypedData(DOMAIN, TYPES, card, signature);
  } catch {
    return undefined;
  }
}
