import { hex, utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { keyedRandom, random, type Random } from "../../src/bytes/random.ts";

/** Chance that comes again for the same seed and label. */
export interface Chance {
  /** 0 to `below - 1`. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  readonly bytes: Random;
}

export const freshSeed = (): string => hex(random(8));

/** The seed as a whole number of 32 bits. */
export const numberOf = (seed: string): number => Buffer.from(sha256(utf8(seed))).readUInt32BE(0);

export function chance(seed: string, label: string): Chance {
  const bytes = keyedRandom(sha256(utf8(seed)), utf8(label));
  const int = (below: number): number => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes(6);
    return (((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f) % below;
  };
  return { int, pick: (from) => from[int(from.length)]!, bytes };
}
