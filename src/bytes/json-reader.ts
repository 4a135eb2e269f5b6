import { MalformedError } from "../errors.ts";
import { fromHex } from "./bytes.ts";

const HEX = /^0x(?:[0-9a-f]{2})*$/;

/** Reads one JSON document strictly: every deviation is a `MalformedError` that names the place, never the content. */
export class JsonReader {
  readonly #format: string;
  readonly #place: string;
  readonly #value: unknown;

  private constructor(format: string, place: string, value: unknown) {
    this.#format = format;
    this.#place = place;
    this.#value = value;
  }

  /** @param longest - In characters. */
  static parse(format: string, text: string, longest: number): JsonReader {
    if (text.length > longest) throw new MalformedError(format, 0, `at most ${longest} characters expected`);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new MalformedError(format, 0, "not JSON");
    }
    return new JsonReader(format, "", value);
  }

  fail(problem: string): never {
    throw new MalformedError(this.#format, 0, `${this.#place || "the document"}: ${problem}`);
  }

  /** The members of an object that has these and, besides them, none but the optional ones. */
  members<K extends string, O extends string = never>(
    needed: readonly K[],
    optional: readonly O[] = [],
  ): Record<K, JsonReader> & Partial<Record<O, JsonReader>> {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail("an object expected");
    const found = Object.keys(value);
    const known: readonly string[] = [...needed, ...optional];
    if (needed.some((key) => !found.includes(key)) || found.some((key) => !known.includes(key)))
      this.fail(`exactly ${known.join(", ")} expected`);
    const members = found.map((key) => [key, this.#below(key, (value as Record<string, unknown>)[key])]);
    return Object.fromEntries(members) as Record<K, JsonReader> & Partial<Record<O, JsonReader>>;
  }

  items(most: number): JsonReader[] {
    const value = this.#value;
    if (!Array.isArray(value) || value.length > most) this.fail(`a list of at most ${most} expected`);
    return value.map((item, i) => this.#below(String(i), item));
  }

  /** `0x` and lower-case digits, of `size` bytes when that is given. */
  hex(size?: number): `0x${string}` {
    const value = this.#value;
    if (typeof value !== "string" || !HEX.test(value)) this.fail("0x and lower-case hexadecimal digits expected");
    if (size !== undefined && value.length !== 2 + 2 * size) this.fail(`${size} bytes expected`);
    return value as `0x${string}`;
  }

  bytes(size?: number): Uint8Array {
    return fromHex(this.hex(size));
  }

  /** A whole number of 0 to `most`. */
  count(most: number): number {
    const value = this.#value;
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most)
      this.fail(`a whole number up to ${most} expected`);
    return value as number;
  }

  /** Printable characters of ASCII: nothing that moves a cursor, and one way to write it. */
  ascii(longest: number): string {
    const value = this.#value;
    if (typeof value !== "string" || value.length > longest || !/^[\x20-\x7e]*$/.test(value))
      this.fail(`at most ${longest} printable characters of ASCII expected`);
    return value;
  }

  choice<T extends string>(values: readonly T[]): T {
    return values.find((value) => value === this.#value) ?? this.fail(`${values.join(" or ")} expected`);
  }

  constant(expected: string | number | boolean): void {
    if (this.#value !== expected) this.fail(`${expected} expected`);
  }

  #below(key: string, value: unknown): JsonReader {
    return new JsonReader(this.#format, this.#place === "" ? key : `${this.#place}.${key}`, value);
  }
}
