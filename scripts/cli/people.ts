import type { Hex } from "../../src/consent/consent.ts";
import { introducedBy } from "../../src/consent/introduction.ts";
import type { Release } from "../../src/envelope/payload.ts";
import { MedSealError, UsageError } from "../../src/errors.ts";
import type { Contact, Vault } from "./vault.ts";

/** What was sealed to the caller is from somebody whose card was not added: a name that anybody may call themselves is no sender. */
export class StrangerError extends MedSealError {
  readonly code = "ERR_STRANGER";
}

/** A text from outside that would not show as what it is. */
export class NotPlainError extends MedSealError {
  readonly code = "ERR_NOT_PLAIN";
}

/** Control characters, invisible ones and those that turn the direction of writing: they make a terminal show something else. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

export const isPlain = (text: string): boolean => !HIDDEN.test(text);

/** @throws UsageError for a name that the caller gives and that would not show as what it is. */
export function checkPlainName(name: string): string {
  if (isPlain(name)) return name;
  throw new UsageError("the name holds control or invisible characters", { hint: "take letters, digits and spaces" });
}

/**
 * The contact whom a release or lease is from, by the signature of the address on their card; what they call themselves counts for nothing.
 *
 * @throws StrangerError, NotPlainError.
 */
export function senderOf({ contacts }: Vault, { chain, from, keys, introduction }: Release): Contact {
  const texts = keys.flatMap(({ stream: { name, channels } }) => [
    name,
    ...channels.flatMap(({ code, component, unit }) => [code.system, code.code, component?.code ?? "", unit]),
  ]);
  if (![from, ...texts].every(isPlain))
    throw new NotPlainError("a name in it holds control or invisible characters", {
      hint: "ask the sender to mend it",
    });
  const { grantor, grantee } = chain.at(-1)!.consent;
  const address: Hex | undefined = introduction && introducedBy(introduction, grantor, grantee);
  const contact = contacts.find((one) => one.address === address);
  if (contact) return contact;
  throw new StrangerError(`it is from nobody you know; they call themselves ${JSON.stringify(from)}`, {
    hint: "if you expect it, add their card (medseal contacts add FILE), then take it up again",
  });
}

/** The same; undefined for a stranger. */
export function knownSender(vault: Vault, release: Release): Contact | undefined {
  try {
    return senderOf(vault, release);
  } catch (error) {
    if (error instanceof StrangerError || error instanceof NotPlainError) return undefined;
    throw error;
  }
}
