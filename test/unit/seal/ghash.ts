import { createCipheriv } from "node:crypto";
import { concat } from "../../../src/bytes/bytes.ts";

/** GF(2^128) as GCM has it (NIST SP 800-38D, section 6.3): bit 0 is the first bit of the block. */
const REDUCTION = 0xe1n << 120n;
const ONE = 1n << 127n;

const toField = (block: Uint8Array): bigint => BigInt(`0x${Buffer.from(block).toString("hex") || "0"}`);
const toBlock = (element: bigint): Uint8Array =>
  new Uint8Array(Buffer.from(element.toString(16).padStart(32, "0"), "hex"));

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ REDUCTION : shifted >> 1n;
  }
  return product;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = ONE;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = multiply(square, square)) {
    if (rest & 1n) result = multiply(result, square);
  }
  return result;
}

const inverse = (element: bigint): bigint => power(element, (1n << 128n) - 2n);

/**
 * The tag of a ciphertext under one key is affine in each of its blocks. So two keys agree on the tag for exactly one choice of a free block.
 *
 * @param keys - Two AES-256 keys.
 * @param ciphertext - Whole blocks of 16 bytes; the last is the one to be chosen.
 * @returns ciphertext ‖ tag that AES-256-GCM takes under both keys, with a nonce of zeros.
 */
export function twoKeyCiphertext(
  keys: readonly [Uint8Array, Uint8Array],
  additionalData: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const fixed = ciphertext.slice();
  fixed.fill(0, fixed.length - 16);
  // The last block of ciphertext stands one before the lengths, so it is multiplied by H twice.
  const [one, two] = keys.map((key) => {
    const h = aes(key, new Uint8Array(16));
    return { tag: tagOf(key, h, additionalData, fixed), factor: multiply(h, h) };
  }) as [{ tag: bigint; factor: bigint }, { tag: bigint; factor: bigint }];
  const chosen = multiply(one.tag ^ two.tag, inverse(one.factor ^ two.factor));
  fixed.set(toBlock(chosen), fixed.length - 16);
  return concat(fixed, toBlock(one.tag ^ multiply(chosen, one.factor)));
}

function tagOf(key: Uint8Array, h: bigint, additionalData: Uint8Array, ciphertext: Uint8Array): bigint {
  const lengths = (BigInt(additionalData.length * 8) << 64n) | BigInt(ciphertext.length * 8);
  const blocks = [...blocksOf(additionalData), ...blocksOf(ciphertext), lengths];
  const hashed = blocks.reduce((sum, block) => multiply(sum ^ block, h), 0n);
  const counter = new Uint8Array(16);
  counter[15] = 1;
  return hashed ^ aes(key, counter);
}

function blocksOf(data: Uint8Array): bigint[] {
  const padded = new Uint8Array(Math.ceil(data.length / 16) * 16);
  padded.set(data);
  return Array.from({ length: padded.length / 16 }, (_, i) => toField(padded.subarray(16 * i, 16 * i + 16)));
}

const aes = (key: Uint8Array, block: Uint8Array): bigint =>
  toField(createCipheriv("aes-256-ecb", key, null).setAutoPadding(false).update(block));
