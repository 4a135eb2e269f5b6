import { MalformedError } from "../errors.ts";
import { fromUtf8 } from "./bytes.ts";

/** Reads what `ByteWriter` writes, strictly: every deviation is a `MalformedError` with its offset. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #format: string;
  #offset = 0;

  constructor(bytes: Uint8Array, format: string) {
    this.#bytes = bytes;
    this.#format = format;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(problem: string): never {
    throw new MalformedError(this.#format, this.#offset, problem);
  }

  /** Refuses anything but these bytes: a name, a version, reserved zeros. */
  expect(bytes: Uint8Array, what: string): this {
    const at = this.#offset;
    const found = this.fixed(bytes.length);
    if (!found.every((byte, i) => byte === bytes[i])) {
      this.#offset = at;
      this.fail(`${what} expected`);
    }
    return this;
  }

  /** A copy of the next `size` bytes. */
  fixed(size: number): Uint8Array {
    if (this.left < size) this.fail(`${size} bytes expected, ${this.left} left`);
    this.#offset += size;
    return this.#bytes.slice(this.#offset - size, this.#offset);
  }

  /** As `fixed`, without a copy: who keeps it keeps all that is read. */
  view(size: number): Uint8Array {
    if (this.left < size) this.fail(`${size} bytes expected, ${this.left} left`);
    this.#offset += size;
    return this.#bytes.subarray(this.#offset - size, this.#offset);
  }

  uint(size: 1 | 2 | 4 | 6): number {
    if (this.left < size) this.fail(`${size} bytes expected, ${this.left} left`);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (this.#bytes[this.#offset++] as number);
    return value;
  }

  uint64(): bigint {
    return this.fixed(8).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  sized(lengthSize: 1 | 2 | 4): Uint8Array {
    return this.fixed(this.uint(lengthSize));
  }

  text(lengthSize: 1 | 2 | 4 = 1): string {
    const at = this.#offset;
    try {
      return fromUtf8(this.sized(lengthSize));
    } catch (error) {
      if (error instanceof MalformedError) throw error;
      this.#offset = at;
      return this.fail("text is not UTF-8");
    }
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.uint(1);
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) this.fail("varint above 2^53 - 1");
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) this.fail("varint is not in its shortest form");
        return value;
      }
    }
  }

  /** A value from a fixed list, stored as its index. */
  choice<T>(values: readonly T[], what: string): T {
    const at = this.#offset;
    const index = this.uint(1);
    if (index >= values.length) {
      this.#offset = at;
      this.fail(`unknown ${what}`);
    }
    return values[index] as T;
  }

  end(): void {
    if (this.left !== 0) this.fail(`${this.left} bytes too many`);
  }
}
