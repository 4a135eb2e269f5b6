import { registryInterface } from "../../../src/chain/contracts.ts";
import type { IConsentRegistry } from "../../../typechain-types/ConsentRegistry.ts";
import type { Message, Outcome, Refusal } from "../model.ts";

const EVENTS: ReadonlySet<string> = new Set(["ConsentGranted", "ConsentRevoked", "AllConsentsRevoked"]);

export const isEvent = (outcome: Outcome): boolean => EVENTS.has(outcome);

export const refusalIn = (outcome: Outcome): Refusal | undefined =>
  outcome === "nothing" || isEvent(outcome) ? undefined : (outcome as Refusal);

/** Calldata of the function for a single signed message. */
export function encode(message: Message, signature: string): string {
  const { grantor } = message;
  if (message.kind === "grant") {
    const { id, issuedAt, deadline } = message;
    return registryInterface.encodeFunctionData("grantBySig", [grantor, id, issuedAt, deadline, signature]);
  }
  if (message.kind === "revoke") {
    return registryInterface.encodeFunctionData("revokeBySig", [grantor, message.id, signature]);
  }
  return registryInterface.encodeFunctionData("revokeAllBySig", [grantor, message.issuedAt, signature]);
}

/** Calldata of the function for many messages of this kind. */
export function encodeMany(
  kind: "grant" | "revoke",
  items: readonly { readonly message: Message; readonly signature: string }[],
): string {
  const flat = items.map(({ message: { kind: _, ...message }, signature }) => ({
    ...message,
    consentId: "id" in message ? message.id : "",
    signature,
  }));
  return kind === "grant"
    ? registryInterface.encodeFunctionData("grantManyBySig", [flat as IConsentRegistry.SignedGrantStruct[]])
    : registryInterface.encodeFunctionData("revokeManyBySig", [flat]);
}

/** The one event of a message that did something: topics and data, joined. */
export function eventOf(message: Message): string {
  const { grantor } = message;
  const { topics, data } =
    message.kind === "grant"
      ? registryInterface.encodeEventLog("ConsentGranted", [grantor, message.id, message.issuedAt])
      : message.kind === "revoke"
        ? registryInterface.encodeEventLog("ConsentRevoked", [grantor, message.id])
        : registryInterface.encodeEventLog("AllConsentsRevoked", [grantor, message.issuedAt]);
  return [...topics, data].join();
}
