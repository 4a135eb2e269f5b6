import { utf8 } from "./bytes.ts";

/** Builds a binary format: numbers are big-endian, lengths stand before what they count. */
export class ByteWriter {
  #bytes = new Uint8Array(64);
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
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** An unsigned integer of `size` bytes; numbers above 2^53 - 1 as bigint. */
  uint(value: number | bigint, size: 1 | 2 | 4 | 6 | 8): this {
    const at = this.#grow(size);
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
    return this.sized(utf8(text), lengthSize);
  }

  /** LEB128, for numbers of 0 to 2^53 - 1. */
  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a varint`);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.uint((rest % 0x80) | 0x80, 1);
    return this.uint(rest, 1);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for `size` bytes and returns where they go. */
  #grow(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}
