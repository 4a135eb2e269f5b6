import fc from "fast-check";
import type { Chunk } from "../../../src/log/chunk.ts";
import { formatInstant } from "../../../src/observation/instant.ts";
import {
  COMPARATORS,
  STATUSES,
  type Channel,
  type Clock,
  type Code,
  type Observation,
  type Value,
} from "../../../src/observation/observation.ts";

/** 2026-02-01T00:00:00Z, the start of an epoch of whatever length divides a day. */
export const BASE = 1_769_904_000;
export const EPOCH_LENGTH = 3600;

export const fixedBytes = (size: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size });

const two = (n: number): string => String(n).padStart(2, "0");

/** Decimals with a mantissa and scale, those without, and texts that are none at all. */
export const anyDecimal: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("0", "-0", "-0.0", "0.0", "1e3", "1E-7", "007", "+1", ".5", "5.", "", "NaN", "0.000000000000001"),
  fc.constantFrom("999999999999999", "-999999999999999", "1000000000000000", "9007199254740993", "0.1234567890123456"),
  fc.integer().map(String),
  fc.tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.integer({ min: 1, max: 17 })).map(([n, scale]) => {
    const digits = (n < 0n ? -n : n).toString().padStart(scale + 1, "0");
    return `${n < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  }),
  fc.double({ noNaN: true }).map(String),
);

const anyOffset: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("Z", "+00:00", "-00:00", "+14:00", "-14:00", "+05:45", "-09:30"),
  fc
    .tuple(fc.constantFrom("+", "-"), fc.integer({ min: 0, max: 14 * 60 }))
    .map(([sign, minutes]) => `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`),
);

export const instantWithin = (from: number, length: number): fc.Arbitrary<string> =>
  fc
    .record({
      seconds: fc.integer({ min: from, max: from + length - 1 }),
      fraction: fc
        .tuple(fc.integer({ min: 0, max: 9 }), fc.nat(999_999_999))
        .map(([n, digits]) => (n === 0 ? "" : String(digits % 10 ** n).padStart(n, "0"))),
      offset: anyOffset,
    })
    .map(formatInstant);

const text = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom("", "8867-4", "http://loinc.org", "mm[Hg]", "\ufeffü", "体温", "\u0000", "🫀"),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
);
const anyCode: fc.Arbitrary<Code> = fc.record({ system: text, code: text });

export const anyChannel: fc.Arbitrary<Channel> = fc
  .record({ code: anyCode, component: fc.option(anyCode, { nil: undefined }), unit: text })
  .map(({ component, ...rest }) => (component ? { ...rest, component } : rest));

export const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.record({
    kind: fc.constant("quantity" as const),
    decimal: anyDecimal,
    comparator: fc.constantFrom(...COMPARATORS),
  }),
  fc.record({ kind: fc.constant("missing" as const), reason: text, source: text }),
  fc.record({ kind: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({
    kind: fc.constant("sampled" as const),
    sampled: fc.record({
      origin: anyDecimal,
      period: anyDecimal,
      factor: anyDecimal,
      lowerLimit: anyDecimal,
      upperLimit: anyDecimal,
      dimensions: fc.integer({ min: 0, max: 0xffff }),
      data: fc.oneof(
        text,
        fc.nat(5000).map((n) => "12 ".repeat(n)),
      ),
    }),
  }),
);

export const observationOf = (channel: fc.Arbitrary<Channel>): fc.Arbitrary<Observation> =>
  fc.record({
    channel,
    time: instantWithin(BASE, EPOCH_LENGTH),
    status: fc.constantFrom(...STATUSES),
    value: anyValue,
  });

const anyClock: fc.Arbitrary<Clock> = fc.oneof(
  fc.constant<Clock>({ kind: "source" }),
  instantWithin(0, 2_000_000_000).map((start): Clock => ({ kind: "start", start })),
  fc.constantFrom("Europe/Zurich", "UTC", "").map((zone): Clock => ({ kind: "zone", zone })),
);

/** Chunks of one epoch over a few channels. */
export const anyChunks: fc.Arbitrary<Chunk[]> = fc.array(anyChannel, { minLength: 1, maxLength: 5 }).chain((channels) =>
  fc.array(
    fc.record({
      seed: fixedBytes(32),
      clock: anyClock,
      observations: fc.array(observationOf(fc.constantFrom(...channels)), { maxLength: 30 }),
    }),
    { maxLength: 3 },
  ),
);
