import { utf8 } from "./bytes.ts";

/** Up to so many characters of ASCII, writing them one by one is faster than an encoder. */
const SHORT = 64;
/** Bytes of 2^53 - 1. */
const LONGEST_VARINT = 8;

/** Builds a binary format: numbers are big-endian, lengths stand before what they count. */
export class ByteWriter {
  #bytes = new Uint8Array(64);
  #length = 0;
  /** Of `#bytes`, by their length. */
  #views: Uint8Array[] = [];

  get length(): number {
    return this.#length;
  }

  /** Bytes whose length the format fixes; `size` guards against a wrong one. */
  fixed(bytes: Uint8Array, size: number): this {
    if (bytes.length !== size) throw new RangeError(`expected ${size} bytes, got ${bytes.length}`);
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** An unsigned integer of `size` bytes; numbers above 2^53 - 1 as bigint. */
  uint(value: number | bigint, size: 1 | 2 | 4 | 6 | 8): this {
    const at = this.#grow(size);
    // One byte is what most numbers of a column take.
    if (size === 1 && typeof value === "number" && value >= 0 && value <= 0xff && Number.isInteger(value)) {
      this.#bytes[at] = value;
      return this;
    }
    if (typeof value === "bigint") {
      if (value < 0n || value >= 1n << BigInt(8 * size))
        throw new RangeError(`${value} does not fit ${size} unsigned bytes`);
      for (let i = size - 1, rest = value; i >= 0; i--, rest >>= 8n) this.#bytes[at + i] = Number(rest & 0xffn);
    } else {
      if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
        throw new RangeError(`${value} does not fit ${size} unsigned bytes`);
      }
      for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) this.#bytes[at + i] = rest % 256;
    }
    return this;
  }

  /** Bytes behind their length in `lengthSize` bytes. */
  sized(bytes: Uint8Array, lengthSize: 1 | 2 | 4): this {
    return this.uint(bytes.length, lengthSize).raw(bytes);
  }

  /** UTF-8 text behind its length in bytes. */
  text(text: string, lengthSize: 1 | 2 | 4 = 1): this {
    const { length } = text;
    if (length > SHORT) return this.sized(utf8(text), lengthSize);
    const start = this.#length;
    const at = this.uint(length, lengthSize).#grow(length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        this.#length = start;
        return this.sized(utf8(text), lengthSize);
      }
      this.#bytes[at + i] = code;
    }
    return this;
  }

  /** LEB128, for numbers of 0 to 2^53 - 1. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a varint`);
    if (value < 0x80) return this.uint(value, 1);
    let at = this.#grow(LONGEST_VARINT);
    let rest = value;
    for (; rest >= 0x80; rest = rest < 2 ** 31 ? rest >> 7 : Math.floor(rest / 0x80))
      this.#bytes[at++] = (rest % 0x80) | 0x80;
    this.#bytes[at++] = rest;
    this.#length = at;
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, without a copy: it changes with the next write. */
  view(): Uint8Array {
    return (this.#views[this.#length] ??= this.#bytes.subarray(0, this.#length));
  }

  /** Forgets what was written behind the first `length` bytes, and keeps the room for it. */
  cut(length: number): this {
    if (length < this.#length) this.#length = length;
    return this;
  }

  /** Writes bytes over such that were written before, `size` of them from `from` on. */
  over(at: number, bytes: Uint8Array, from: number, size: number): this {
    if (at + size > this.#length) throw new RangeError("nothing was written there yet");
    for (let i = 0; i < size; i++) this.#bytes[at + i] = bytes[from + i] as number;
    return this;
  }

  /** Writes two digits of a text over such that were written before. */
  overDigits(at: number, text: string, from: number): this {
    if (at + 2 > this.#length) throw new RangeError("nothing was written there yet");
    this.#bytes[at] = text.charCodeAt(from);
    this.#bytes[at + 1] = text.charCodeAt(from + 1);
    return this;
  }

  /** Makes room for `size` bytes and returns where they go. */
  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#views = [];
    }
    return at;
  }
}
