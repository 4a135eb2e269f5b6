import { fromHex, hex } from "../bytes/bytes.ts";

/** JSON for sealed state: bytes stand as `{"$hex": …}`, big integers as `{"$int": …}`. Not a public format. */
export function stringifyState(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item instanceof Uint8Array) return { $hex: hex(item) };
    return typeof item === "bigint" ? { $int: item.toString() } : item;
  });
}

export function parseState(text: string): unknown {
  // Within a string the quotes would be escaped.
  if (!text.includes('{"$')) return JSON.parse(text);
  return JSON.parse(text, (_key, item: unknown) => {
    if (typeof item !== "object" || item === null) return item;
    if ("$hex" in item && typeof item.$hex === "string") return fromHex(item.$hex);
    return "$int" in item && typeof item.$int === "string" ? BigInt(item.$int) : item;
  });
}
