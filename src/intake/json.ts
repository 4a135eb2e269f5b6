import { isUtf8 } from "node:buffer";
import { LosslessNumber, parse } from "lossless-json";
import type { Limits } from "./limits.ts";
import { scanJson } from "./json-scan.ts";
import type { Problem } from "./types.ts";

export type JsonObject = { readonly [key: string]: JsonValue };
/** JSON with the text of each number kept. */
export type JsonValue = null | boolean | string | LosslessNumber | readonly JsonValue[] | JsonObject;

export type JsonOutcome =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: Problem; /** 1-based. */ readonly line: number };

export const isJsonObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof LosslessNumber);

/** The text of a number, undefined for everything else. */
export const numberText = (value: JsonValue | undefined): string | undefined =>
  value instanceof LosslessNumber ? value.value : undefined;

/** An own member, never an inherited one. */
export const member = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * Strict JSON (RFC 8259) from bytes: UTF-8, no duplicate keys at all (a second one of equal value is refused too), bounded depth.
 * What is wrong is said by kind and line, never by content.
 */
export function parseJson(bytes: Uint8Array, limits: Limits): JsonOutcome {
  if (!isUtf8(bytes))
    return { ok: false, problem: { code: "ERR_ROW_ENCODING", reason: "the JSON is not UTF-8" }, line: 1 };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  const found = scanJson(text, limits.depth);
  if (found) return { ok: false, problem: found.problem, line: lineOf(text, found.position) };
  try {
    const value = parse(text) as JsonValue;
    if (isWellFormed(value)) return { ok: true, value };
    return { ok: false, problem: { code: "ERR_ROW_ENCODING", reason: "a text holds half a surrogate pair" }, line: 1 };
  } catch (cause) {
    const position = /position (\d+)$/.exec(cause instanceof Error ? cause.message : "")?.[1];
    const problem: Problem = { code: "ERR_JSON", reason: "not valid JSON" };
    return { ok: false, problem, line: lineOf(text, Number(position ?? 0)) };
  }
}

/** Half a surrogate pair can be escaped in JSON and cannot be stored as UTF-8: it would not come back as it stood. */
function isWellFormed(value: JsonValue): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null || value instanceof LosslessNumber) return true;
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item));
}

function lineOf(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
