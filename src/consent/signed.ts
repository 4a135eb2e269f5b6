import { recoverAddress, Signature } from "ethers";
import { isAddress, isBytes32, isTime, type Hex } from "./consent.ts";
import { SignedMessageError } from "./errors.ts";
import { grantDigest, revokeAllDigest, revokeDigest, type RegistryAddress } from "./typed-data.ts";

/**
 * A signed message as it lies in a file or travels to whoever relays it. It holds the id, not the consent: a relayer
 * learns no more than the chain shows. Anybody may relay it; the effect is the same.
 */
interface Message {
  readonly version: 1;
  readonly chainId: number;
  readonly registry: Hex;
  readonly grantor: Hex;
  /** 65 bytes r ‖ s ‖ v of an address with a key; 1 to 4,096 bytes of a contract wallet (ERC-1271). */
  readonly signature: Hex;
}

export interface SignedGrant extends Message {
  readonly format: "medseal-signed-grant";
  readonly consentId: Hex;
  /** The signer's own clock. */
  readonly issuedAt: number;
  /** Last second at which the chain takes it. */
  readonly deadline: number;
}

/** Without a deadline: it may be kept, relayed late or twice, and still does nothing but end this consent. */
export interface SignedRevoke extends Message {
  readonly format: "medseal-signed-revoke";
  readonly consentId: Hex;
}

/** Ends every consent of the grantor issued at or before `issuedAt`. */
export interface SignedRevokeAll extends Message {
  readonly format: "medseal-signed-revoke-all";
  readonly issuedAt: number;
}

export type SignedMessage = SignedGrant | SignedRevoke | SignedRevokeAll;

const COMMON = ["format", "version", "chainId", "registry", "grantor"] as const;

const KEYS: Readonly<Record<SignedMessage["format"], readonly string[]>> = {
  "medseal-signed-grant": [...COMMON, "consentId", "issuedAt", "deadline", "signature"],
  "medseal-signed-revoke": [...COMMON, "consentId", "signature"],
  "medseal-signed-revoke-all": [...COMMON, "issuedAt", "signature"],
};

/** One line of JSON with the keys in the order of docs/formats.md. */
export const formatSigned = (message: SignedMessage): string =>
  JSON.stringify(message, [...KEYS[message.format]]) + "\n";

/**
 * Reads what `formatSigned` writes: no other keys, none missing, each of its form. Does not check the signature.
 *
 * @throws SignedMessageError that names the field at fault.
 */
export function parseSigned(text: string): SignedMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SignedMessageError("signed message is not JSON", { cause });
  }
  const message = checkSigned(value);
  // Of a key that stands twice each parser takes another one, and what is read would not be what is shown.
  const keys = [...text.matchAll(STRING)].filter(([, colon]) => colon !== undefined);
  if (keys.length !== KEYS[message.format].length) throw new SignedMessageError("signed message has a key twice");
  return message;
}

/** A text of JSON; the colon behind it is there when it is a key. */
const STRING = /"(?:[^"\\]|\\.)*"\s*(:)?/g;

/** The same for a value that is parsed already. */
export function checkSigned(value: unknown): SignedMessage {
  const fail = (field: string): never => {
    throw new SignedMessageError(`signed message is not valid: ${field}`);
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail("not an object");
  const message = value as Record<string, unknown>;
  if (typeof message.format !== "string" || !Object.hasOwn(KEYS, message.format)) return fail("format");
  const keys = KEYS[message.format as SignedMessage["format"]];
  if (Object.keys(message).length !== keys.length) fail("keys too many or missing");
  for (const key of keys) if (!Object.hasOwn(message, key) || !CHECKS[key]?.(message[key])) fail(key);
  return value as SignedMessage;
}

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  format: () => true,
  version: (value) => value === 1,
  chainId: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  registry: isAddress,
  grantor: isAddress,
  consentId: isBytes32,
  issuedAt: (value) => isTime(value) && value > 0,
  deadline: isTime,
  signature: (value) => typeof value === "string" && /^0x(?:[0-9a-f]{2}){1,4096}$/.test(value),
};

/** The 32 bytes that the signature of a message is over. */
export function signedDigest(message: SignedMessage): Hex {
  switch (message.format) {
    case "medseal-signed-grant":
      return grantDigest(message, message.consentId, message.issuedAt, message.deadline);
    case "medseal-signed-revoke":
      return revokeDigest(message, message.consentId);
    case "medseal-signed-revoke-all":
      return revokeAllDigest(message, message.grantor, message.issuedAt);
  }
}

/**
 * Checks off chain that the grantor's own key signed this message for this registry. A message of a contract wallet
 * (ERC-1271) cannot be checked so; it counts once it is mined.
 *
 * @throws SignedMessageError when the message is for another chain or registry, or the signature is not the grantor's.
 */
export function verifySigned(message: SignedMessage, at: RegistryAddress): void {
  if (message.chainId !== at.chainId || message.registry !== at.registry) {
    throw new SignedMessageError("signed message is for another chain or registry");
  }
  if (recover(message) !== message.grantor) {
    throw new SignedMessageError("signature is not the grantor's", {
      hint: "a message of a contract wallet cannot be checked off chain; have it relayed",
    });
  }
}

function recover(message: SignedMessage): string | undefined {
  // 65 bytes that end in v = 27 or 28, which is all that the chain takes; ethers refuses an s in the upper half.
  if (!/^0x[0-9a-f]{128}1[bc]$/.test(message.signature)) return undefined;
  try {
    return recoverAddress(signedDigest(message), Signature.from(message.signature));
  } catch {
    return undefined;
  }
}
