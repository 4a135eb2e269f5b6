import { expect } from "chai";
import { hex, utf8 } from "../../../src/bytes/bytes.ts";
import { keyedRandom, type Random } from "../../../src/bytes/random.ts";
import { decoy } from "../../../src/seal/decoy.ts";
import {
  DHKEM_X25519,
  generateKeyPair,
  HpkeOpenError,
  KEMS,
  openWith,
  sealTo,
  X_WING,
  type Wrapped,
} from "../../../src/seal/hpke.ts";

const NONE = new Uint8Array(0);
const MADE = 48;
/** Of ML-KEM-768: coefficients and bits of each in u and v, and the byte at which they begin. */
const PARTS = [
  { name: "u", count: 768, bits: 10, at: 0 },
  { name: "v", count: 256, bits: 4, at: 960 },
] as const;

const seeded = (label: string): Random => keyedRandom(new Uint8Array(32), utf8(label));

/** Pearson's statistic, in standard deviations from its mean, of how often each compressed value comes against how many residues it stands for. */
function deviation(encs: readonly Uint8Array[], { count, bits, at }: (typeof PARTS)[number]): number {
  const values = 2 ** bits;
  const found = new Array<number>(values).fill(0);
  const residues = new Array<number>(values).fill(0);
  for (let x = 0; x < 3329; x++) residues[Math.round((x * values) / 3329) % values]! += 1;
  for (const enc of encs) {
    for (let i = 0; i < count; i++) {
      const bit = bits * i;
      const word = (enc[at + (bit >> 3)] as number) | ((enc[at + (bit >> 3) + 1] as number) << 8);
      found[(word >> (bit & 7)) & (values - 1)]! += 1;
    }
  }
  const total = encs.length * count;
  const statistic = found.reduce((sum, seen, i) => {
    const expected = (total * (residues[i] as number)) / 3329;
    return sum + (seen - expected) ** 2 / expected;
  }, 0);
  return (statistic - (values - 1)) / Math.sqrt(2 * (values - 1));
}

/** Whether it is the canonical text of a point on Curve25519 (RFC 7748, section 4.1), and not of its twist. */
function isPoint(bytes: Uint8Array): boolean {
  const prime = 2n ** 255n - 19n;
  const u = BigInt(`0x${hex(bytes.toReversed())}`);
  const square = (u * u * u + 486_662n * u * u + u) % prime;
  let [root, base] = [1n, square];
  for (let left = (prime - 1n) / 2n; left > 0n; left >>= 1n, base = (base * base) % prime)
    if (left & 1n) root = (root * base) % prime;
  return u < prime && (square === 0n || root === 1n);
}

describe("decoy of a wrapped message", () => {
  for (const kem of [X_WING, DHKEM_X25519] as const) {
    it(`${KEMS[kem].name}: has the sizes of what is wrapped, follows from its random bytes and opens for nobody`, async () => {
      const keys = await generateKeyPair(kem, seeded("key"));
      const wrapped = await sealTo(kem, keys.publicKey, NONE, NONE, new Uint8Array(500), seeded("wrapped"));
      const { enc, ciphertext } = decoy(kem, 500, seeded("decoy"));
      expect([enc.length, ciphertext.length]).to.deep.equal([wrapped.enc.length, wrapped.ciphertext.length]);
      const again = decoy(kem, 500, seeded("decoy"));
      expect(hex(again.enc) + hex(again.ciphertext)).to.equal(hex(enc) + hex(ciphertext));
      const error = await openWith(keys, enc, NONE, NONE, ciphertext).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(HpkeOpenError);
    });
  }

  for (const [kem, at] of [
    [X_WING, 1088],
    [DHKEM_X25519, 0],
  ] as const)
    it(`${KEMS[kem].name}: has a public key of X25519, as it would not be among random bytes`, async () => {
      const rand = seeded("points");
      const { publicKey } = await generateKeyPair(kem, rand);
      const tried = Array.from({ length: 30 }, (_, i) => i);
      const real = await Promise.all(tried.map(() => sealTo(kem, publicKey, NONE, NONE, NONE, rand)));
      const made = tried.map(() => decoy(kem, 0, rand));
      for (const { enc } of [...real, ...made]) expect(isPoint(enc.subarray(at, at + 32))).to.equal(true);
      expect(tried.every(() => isPoint(rand(32)))).to.equal(false);
    });

  describe("coefficients of its ML-KEM ciphertext", () => {
    const rand = seeded("coefficients");
    const real: Uint8Array[] = [];
    before(async () => {
      const { publicKey } = await generateKeyPair(X_WING, rand);
      const wrap = (): Promise<Wrapped> => sealTo(X_WING, publicKey, NONE, NONE, NONE, rand);
      for (let i = 0; i < MADE; i++) real.push((await wrap()).enc);
    });

    for (const part of PARTS) {
      it(`are distributed in ${part.name} as those of real ones`, () => {
        const made = Array.from({ length: MADE }, () => decoy(X_WING, 0, rand).enc);
        expect(deviation(real, part), "real").to.be.within(-4, 4);
        expect(deviation(made, part), "made up").to.be.within(-4, 4);
      });
    }

    it("are not those of random bytes, so that the test can fail", () => {
      const noise = Array.from({ length: MADE }, () => rand(1120));
      expect(deviation(noise, PARTS[0])).to.be.above(8);
    });
  });
});
