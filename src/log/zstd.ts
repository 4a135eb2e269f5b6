import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

const LEVEL = 9;

/** One zstd frame (RFC 8878) without a dictionary. Same input, same bytes under the same version of the library. */
export const compress = (plain: Uint8Array): Uint8Array =>
  zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });

/**
 * Never gives more than `length` bytes, whatever the frame claims.
 *
 * @returns undefined unless `packed` is one whole frame, nothing behind it, of exactly `length` bytes.
 */
export function decompress(packed: Uint8Array, length: number): Uint8Array | undefined {
  try {
    // With `info` the answer tells how much of the input was used; the declarations do not know of it.
    const options = { maxOutputLength: Math.max(length, 1), info: true };
    const { buffer, engine } = zstdDecompressSync(packed, options) as unknown as Inflated;
    const whole = engine.bytesWritten === packed.length && buffer.length === length;
    return whole ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length) : undefined;
  } catch {
    return undefined;
  }
}

interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}
