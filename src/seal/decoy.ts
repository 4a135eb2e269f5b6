import { concat } from "../bytes/bytes.ts";
import { random, type Random } from "../bytes/random.ts";
import { HPKE_TAG_SIZE, X_WING, type KemId, type Wrapped } from "./hpke.ts";
import { x25519PublicKey } from "./x25519.ts";

// FIPS 203, section 8, of ML-KEM-768.
const MODULUS = 3329;
const RESIDUES = 256;
const [RANK, BITS_OF_U, BITS_OF_V] = [3, 10, 4] as const;
/** Bytes drawn at a time; of two residues in three bytes 19 % are above the modulus. */
const DRAWN = 2_048;

/**
 * What `sealTo` gives for a key that nobody keeps, in a fiftieth of its time. Who has no key cannot tell one from the other: ciphertexts of
 * ML-KEM are residues modulo 3329, pseudorandom by the assumption that it rests on, and compressed; the other half of X-Wing is a public key
 * of X25519; and what ChaCha20-Poly1305 gives is pseudorandom.
 *
 * @param length - Of the plaintext that there is not, in bytes.
 * @param bytes - What comes is a function of what this gives.
 */
export function decoy(kem: KemId, length: number, bytes: Random = random): Wrapped {
  const ephemeral = x25519PublicKey(bytes(32));
  const enc = kem === X_WING ? concat(mlKemCiphertext(bytes), ephemeral) : ephemeral;
  return { enc, ciphertext: bytes(length + HPKE_TAG_SIZE) };
}

function mlKemCiphertext(bytes: Random): Uint8Array {
  const drawn = uniformResidues((RANK + 1) * RESIDUES, bytes);
  const split = RANK * RESIDUES;
  return concat(compressed(drawn.subarray(0, split), BITS_OF_U), compressed(drawn.subarray(split), BITS_OF_V));
}

/** By rejection, as SampleNTT has it (FIPS 203, algorithm 7). */
function uniformResidues(count: number, bytes: Random): Uint16Array {
  const residues = new Uint16Array(count);
  for (let found = 0; found < count;) {
    const some = bytes(DRAWN);
    for (let at = 0; at + 3 <= some.length; at += 3) {
      const [a, b, c] = [some[at] as number, some[at + 1] as number, some[at + 2] as number];
      for (const value of [a | ((b & 15) << 8), (b >> 4) | (c << 4)])
        if (value < MODULUS && found < count) residues[found++] = value;
    }
  }
  return residues;
}

/** ByteEncode of Compress (FIPS 203, section 4.2.1). */
function compressed(residues: Uint16Array, bits: number): Uint8Array {
  const packed = new Uint8Array((residues.length * bits) / 8);
  let [at, held, value] = [0, 0, 0];
  for (const residue of residues) {
    value |= (Math.round((residue * 2 ** bits) / MODULUS) & (2 ** bits - 1)) << held;
    for (held += bits; held >= 8; held -= 8, value >>= 8) packed[at++] = value & 0xff;
  }
  return packed;
}
