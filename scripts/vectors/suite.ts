import { hex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { keyedRandom, type Random } from "../../src/bytes/random.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Inputs by their names in docs/formats.md, and what a reader makes of them: the content, or the code of its refusal. */
export type Case = { readonly name: string; readonly [input: string]: Json } & (
  { readonly expected: Json } | { readonly error: string }
);

/** One file of vectors. */
export interface Suite {
  readonly format: string;
  /** Of docs/formats.md. */
  readonly section: number;
  /** Its bytes depend on the version of zstd; what they decode to does not. */
  readonly zstd?: true;
  readonly cases: readonly Case[];
}

/** Bytes as hex, big integers as decimal text, `undefined` left out. */
export function json(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(json);
  if (typeof value !== "object" || value === null) return value as Json;
  const entries = Object.entries(value as Record<string, unknown>).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, json(item)]));
}

export const good = (name: string, inputs: object, expected: unknown): Case => ({
  ...(json(inputs) as Record<string, Json>),
  name,
  expected: json(expected),
});

export const bad = (name: string, inputs: object, error: string): Case => ({
  ...(json(inputs) as Record<string, Json>),
  name,
  error,
});

/** Bytes that look random and are the same in every run; another label gives others. */
export const draw = (label: string): Random => keyedRandom(sha256(utf8("medseal vectors 1")), utf8(label));

/** The same bytes but for one bit. */
export const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.with(at < 0 ? bytes.length + at : at, (bytes.at(at) as number) ^ 1);

/** The usual ways in which bytes are wrong, with the code that refuses each. */
export const damaged = (inputs: (bytes: Uint8Array) => object, bytes: Uint8Array, code = "ERR_MALFORMED"): Case[] => [
  bad("another name", inputs(flip(bytes, 0)), code),
  bad("the last byte cut off", inputs(bytes.slice(0, -1)), code),
  bad("a byte too many", inputs(Uint8Array.of(...bytes, 0)), code),
  bad("nothing", inputs(new Uint8Array(0)), code),
];
