import type { Mutant } from "./mutants.ts";

/**
 * One source that is many mutants: at each place it asks a constant which of them it is, `MUTANT == 3 ? (a <= b) : (a < b)`.
 * The compiler is asked once for all; in the code that it gives, the constant is replaced by the mutant's number.
 */
export interface Schema {
  readonly content: string;
}

/** Few enough that no contract outgrows what a chain takes. */
export const MOST_OF_A_SCHEMA = 24;
/** As it is. */
export const NONE = 0;

/** Stands in the code once for each question. */
const ASKED = "a3c59ac3";

/** @param mutants - Of one file, each with a place; the first has the number 1. */
export function schemaOf(source: Buffer, mutants: readonly Mutant[]): Schema {
  const places = new Map<string, Place>();
  for (const [i, { place, to }] of mutants.entries()) {
    if (place === undefined) throw new Error("a mutant without a place fits in no schema");
    const key = `${place.start}:${place.end}`;
    const known = places.get(key) ?? { ...place, others: [] };
    places.set(key, { ...known, others: [...known.others, { number: i + 1, text: to }] });
  }
  // The outer before the inner.
  const ordered = [...places.values()].sort((a, b) => a.start - b.start || b.end - a.end);
  const body = textBetween(source, 0, source.length, ordered);
  return { content: `${body}\nuint256 constant MUTANT = 0x${ASKED};\n` };
}

/** The code of one mutant of a schema. */
export const codeOfMutant = (code: string, number: number): string =>
  code.replaceAll(ASKED, number.toString(16).padStart(8, "0"));

interface Place {
  readonly kind: "expression" | "statement";
  readonly start: number;
  readonly end: number;
  readonly others: readonly { readonly number: number; readonly text: string }[];
}

function textBetween(source: Buffer, start: number, end: number, places: readonly Place[]): string {
  let text = "";
  let at = start;
  for (let i = 0; i < places.length;) {
    const outer = places[i] as Place;
    const after = places.findIndex((place, j) => j > i && place.start >= outer.end);
    const next = after === -1 ? places.length : after;
    const inner = textBetween(source, outer.start, outer.end, places.slice(i + 1, next));
    text += source.subarray(at, outer.start).toString() + asking(outer, inner);
    at = outer.end;
    i = next;
  }
  return text + source.subarray(at, end).toString();
}

const asking = ({ kind, others }: Place, text: string): string =>
  kind === "statement"
    ? `{ if (${others.map(({ number }) => `MUTANT != ${number}`).join(" && ")}) { ${text} } }`
    : `(${others.map((other) => `MUTANT == ${other.number} ? ${other.text} : `).join("")}(${text}))`;
