import type { Code } from "../observation/observation.ts";
import { isJsonObject, member, type JsonObject, type JsonValue } from "./json.ts";
import { NAME_LENGTH } from "./limits.ts";

/** Text with something in it, undefined for everything else. */
export const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

export const objectOf = (object: JsonObject, key: string): JsonObject | undefined => {
  const value = member(object, key);
  return isJsonObject(value) ? value : undefined;
};

/** The codings of a CodeableConcept that stands under `key`. */
export function codingsOf(object: JsonObject, key: string): readonly JsonObject[] {
  const concept = objectOf(object, key);
  const codings = concept && member(concept, "coding");
  return Array.isArray(codings) ? (codings as readonly JsonValue[]).filter((coding) => isJsonObject(coding)) : [];
}

/** The first coding, which must name system and code; later ones are translations of it. */
export function firstCode(object: JsonObject): Code | undefined {
  const [coding] = codingsOf(object, "code");
  const system = coding && textOf(member(coding, "system"));
  const code = coding && textOf(member(coding, "code"));
  if (system === undefined || code === undefined) return undefined;
  return system.length > NAME_LENGTH || code.length > NAME_LENGTH ? undefined : { system, code };
}

/** FHIR R4 elements that change the meaning of what they stand in; one that is not understood forbids processing (FHIR R4, 2.1.27.2). */
export const changesMeaning = (object: JsonObject): boolean =>
  Object.hasOwn(object, "modifierExtension") || Object.hasOwn(object, "implicitRules");
