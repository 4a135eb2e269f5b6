import type { Json } from "../vectors/suite.ts";
import type { Chance } from "./chance.ts";

type Path = readonly (string | number)[];

/** The same document with one of its values left out, doubled, or put in place of another, written as proofs and bundles are. */
export function rearranged(from: Chance, text: string): string {
  let document: Json;
  try {
    document = JSON.parse(text) as Json;
  } catch {
    return text;
  }
  const places = pathsIn(document);
  if (places.length === 0) return text;
  const at = from.pick(places);
  const changed = structuredClone(document);
  const last = at.at(-1) as string | number;
  const parent = valueAt(changed, at.slice(0, -1)) as Record<string | number, Json> | Json[];
  switch (from.int(4)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(last as number, 1);
      else delete parent[last];
      break;
    case 1:
      if (Array.isArray(parent)) parent.splice(last as number, 0, structuredClone(valueAt(document, at)));
      break;
    case 2:
      (parent as Record<string | number, Json>)[last] = otherThan(from, valueAt(document, at));
      break;
    default: {
      // Of the same kind: an address for an address, a list for a list.
      const alike = places.filter((one) => shape(valueAt(document, one)) === shape(valueAt(document, at)));
      (parent as Record<string | number, Json>)[last] = structuredClone(valueAt(document, from.pick(alike)));
    }
  }
  return `${JSON.stringify(changed)}\n`;
}

function pathsIn(value: Json, at: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return at.length > 0 ? [at] : [];
  const below = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...(at.length > 0 ? [at] : []), ...below.flatMap(([key, one]) => pathsIn(one as Json, [...at, key]))];
}

const valueAt = (value: Json, path: Path): Json =>
  path.reduce<Json>((one, key) => (one as Record<string | number, Json>)[key] as Json, value);

const shape = (value: Json): string =>
  typeof value === "string" ? `text of ${value.length}` : Array.isArray(value) ? "list" : typeof value;

function otherThan(from: Chance, value: Json): Json {
  if (typeof value === "number")
    return from.pick([value + 1, value - 1, 0, 1, 2 ** 32, 2 ** 53, -1, 0.5, String(value)]);
  if (typeof value === "string") return from.pick(["", "0x", value.slice(0, -2), `${value}00`, value.toUpperCase(), 7]);
  return from.pick<Json>([null, [], {}, 0, ""]);
}
