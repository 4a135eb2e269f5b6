import { concat, utf8 } from "./bytes.ts";

/** Builds a binary format: numbers are big-endian, lengths stand before what they count. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes whose length the format fixes; `size` guards against a wrong one. */
  fixed(bytes: Uint8Array, size: number): this {
    if (bytes.length !== size) throw new RangeError(`expected ${size} bytes, got ${bytes.length}`);
    return this.raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** An unsigned integer of `size` bytes, 1 to 6 as number, 8 as bigint. */
  uint(value: number | bigint, size: 1 | 2 | 4 | 6 | 8): this {
    const big = BigInt(value);
    if (big < 0n || big >= 1n << BigInt(8 * size)) throw new RangeError(`${value} does not fit ${size} unsigned bytes`);
    const bytes = new Uint8Array(size);
    for (let i = size - 1, rest = big; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    return this.raw(bytes);
  }

  /** Bytes behind their length in `lengthSize` bytes. */
  sized(bytes: Uint8Array, lengthSize: 1 | 2 | 4): this {
    return this.uint(bytes.length, lengthSize).raw(bytes);
  }

  /** UTF-8 text behind its length in bytes. */
  text(text: string, lengthSize: 1 | 2 | 4 = 1): this {
    return this.sized(utf8(text), lengthSize);
  }

  /** LEB128, for numbers of 0 to 2^53 - 1. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a varint`);
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    bytes.push(rest);
    return this.raw(Uint8Array.from(bytes));
  }

  finish(): Uint8Array {
    return concat(...this.#parts);
  }
}
