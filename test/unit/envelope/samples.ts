import fc from "fast-check";
import { compare, fromHex, hex0x, utf8 } from "../../../src/bytes/bytes.ts";
import { keyedRandom } from "../../../src/bytes/random.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { linkOf, type Link } from "../../../src/consent/scope.ts";
import type { RegistryAddress } from "../../../src/consent/typed-data.ts";
import type { Recipient } from "../../../src/envelope/envelope.ts";
import type { GenerationKeys, Release } from "../../../src/envelope/payload.ts";
import { coverOf } from "../../../src/keys/cover.ts";
import { EPOCHS } from "../../../src/keys/tree.ts";
import { DHKEM_X25519, generateKeyPair, X_WING, type HpkeKeyPair } from "../../../src/seal/hpke.ts";
import { clinician, sample, streamA, streamB } from "../consent/samples.ts";
import { anyChannel, fixedBytes } from "../log/arbitrary.ts";

export const rand = keyedRandom(new Uint8Array(32), utf8("envelope tests"));
export const place: RegistryAddress = { chainId: 31337, registry: clinician.address as Hex };

const xWing = await generateKeyPair(X_WING, rand);
export const x25519 = await generateKeyPair(DHKEM_X25519, rand);
export const pairs: readonly HpkeKeyPair[] = [xWing, x25519];
export const recipient = ({ kem, publicKey }: HpkeKeyPair): Recipient => ({
  kem,
  hpkeKey: publicKey,
  viewKey: new Uint8Array(32).fill(9),
});

const one = linkOf(sample({ streams: [streamA] }), [streamA]);
const both = linkOf(sample({ streams: [streamB, streamA], actions: ["READ", "SHARE"] }), [streamB, streamA]);

const anyLink: fc.Arbitrary<Link> = fc.constantFrom(one, both);

const anyCover = fc
  .tuple(fixedBytes(32), fc.integer({ min: 0, max: EPOCHS - 1 }), fc.integer({ min: 1, max: 1000 }))
  .map(([root, from, length]) => coverOf(root, from, Math.min(from + length, EPOCHS)));

const anyKeys: fc.Arbitrary<GenerationKeys> = fc.record({
  stream: fc.record({
    id: fc.constantFrom(streamA, streamB).map(fromHex),
    name: fc.constantFrom("heart-rate", "", "体温"),
    channels: fc.array(anyChannel, { maxLength: 3 }),
    epochLength: fc.constantFrom(1, 60, 3600, 86_400),
    batchClass: fc.integer({ min: 0, max: 5 }),
  }),
  generation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  role: fc.constantFrom("current" as const, "retired" as const, "spare" as const),
  write: anyLink,
  data: fc.option(anyCover, { nil: undefined }),
  audit: anyCover,
});

/** Releases and leases under real consents of the sample patient. */
export const anyRelease: fc.Arbitrary<Release> = fc
  .record({
    kind: fc.constantFrom("release" as const, "lease" as const),
    issuedAt: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    from: fc.constantFrom("", "Zoë"),
    introduction: fc.option(fixedBytes(65), { nil: undefined }),
    chain: fc.array(anyLink, { minLength: 1, maxLength: 4 }),
    keys: fc.uniqueArray(anyKeys, {
      maxLength: 4,
      selector: ({ stream, generation }) => `${hex0x(stream.id)}/${generation}`,
    }),
    retired: fc.array(fixedBytes(32).map(hex0x), { maxLength: 3 }),
  })
  .map(({ retired, introduction, ...rest }) => ({
    ...rest,
    ...(introduction && { introduction }),
    retiredBy: rest.kind === "lease" ? retired.map((id) => ({ grantor: clinician.address as Hex, id })) : [],
  }));

export const release: Release = {
  kind: "release",
  issuedAt: 1_769_904_000,
  from: "patient",
  chain: [one],
  keys: [
    {
      stream: { id: fromHex(streamA), name: "heart-rate", channels: [], epochLength: 3600, batchClass: 0 },
      generation: 0,
      role: "current",
      write: one,
      data: coverOf(rand(32), 491_640, 491_650),
      audit: coverOf(rand(32), 491_640, 491_650),
    },
  ],
  retiredBy: [],
};

export const twoLinks = { one, both, ids: [streamA, streamB].map(fromHex).sort(compare).map(hex0x) };
