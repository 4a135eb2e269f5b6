import { MalformedError, MedSealError } from "../errors.ts";
import { SEAL_OVERHEAD } from "./seal.ts";

const LENGTH_SIZE = 4;

/** The content is larger than the largest size class; it must be split, never stored in a size of its own. */
export class SizeClassError extends MedSealError {
  readonly code = "ERR_SIZE_CLASS";

  constructor(length: number, largest: number) {
    super(`${length} bytes do not fit the largest size class of ${largest} bytes`, {
      hint: "seal fewer readings at a time, or give the stream a larger size class",
    });
  }
}

/** The largest plaintext that a block of `sizeClass` bytes holds. */
export const capacityOf = (sizeClass: number): number => sizeClass - SEAL_OVERHEAD - LENGTH_SIZE;

/**
 * Pads a plaintext, so that sealed it has exactly the size of a class: u32 length ‖ plaintext ‖ zeros.
 *
 * @param classes - Sizes in bytes of whole sealed blocks, in any order.
 * @throws SizeClassError when it fits none.
 */
export function pad(plaintext: Uint8Array, classes: readonly number[]): Uint8Array {
  if (classes.length === 0) throw new RangeError("a stream has at least one size class");
  const fitting = classes.filter((size) => capacityOf(size) >= plaintext.length);
  if (fitting.length === 0) throw new SizeClassError(plaintext.length, Math.max(...classes));
  const padded = new Uint8Array(Math.min(...fitting) - SEAL_OVERHEAD);
  new DataView(padded.buffer).setUint32(0, plaintext.length);
  padded.set(plaintext, LENGTH_SIZE);
  return padded;
}

/** Reverses `pad`. @throws MalformedError when the length does not fit or the padding is not zero. */
export function unpad(padded: Uint8Array): Uint8Array {
  if (padded.length < LENGTH_SIZE) throw new MalformedError("padding", 0, "length expected");
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const end = LENGTH_SIZE + length;
  if (end > padded.length) throw new MalformedError("padding", 0, "length is larger than the content");
  const stray = padded.subarray(end).findIndex((byte) => byte !== 0);
  if (stray !== -1) throw new MalformedError("padding", end + stray, "zero expected");
  return padded.slice(LENGTH_SIZE, end);
}
