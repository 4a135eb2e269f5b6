import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatInstant, parseInstant } from "../src/observation/instant.ts";

/**
 * A bedside monitor at 1 Hz, made up: six vital signs of a person who has one spell of low oxygen, with a finger probe that falls off
 * and a breathing belt that slips. Same seed, same bytes, on every machine: it uses no function whose last digit a machine may choose.
 */
export interface Simulation {
  readonly seed: number;
  /** Rows, one a second. */
  readonly seconds: number;
  /** RFC 3339; the offset is kept. */
  readonly start: string;
}

export const WARD_BED_7: Simulation = { seed: 7, seconds: 600, start: "2026-03-01T08:00:00+01:00" };

const HEADER = [
  "time",
  "heart rate LOINC 8867-4 [/min]",
  "pulse rate LOINC 8889-8 [/min]",
  "oxygen saturation LOINC 59408-5 [%]",
  "respiratory rate LOINC 9279-1 [/min]",
  "body temperature LOINC 8310-5 [Cel]",
  "mean blood pressure LOINC 8478-0 [mm[Hg]]",
];

/** Share of a recording, from 0 to 1. */
const SPELL = { from: 0.45, to: 0.6 };

export function simulate({ seed, seconds, start }: Simulation): string {
  const from = parseInstant(start);
  if (!from) throw new RangeError("start is not an RFC 3339 instant");
  const random = mulberry32(seed);
  const heart = drift(random, 74, 0.06, 0.9);
  const breath = drift(random, 15, 0.05, 0.35);
  const oxygen = drift(random, 97.2, 0.08, 0.15);
  const warmth = drift(random, 36.8, 0.01, 0.01);
  const pressure = drift(random, 91, 0.04, 0.6);
  const probeOff = gaps(random, 0.004, 12);
  const beltOff = gaps(random, 0.003, 20);

  const rows = [HEADER.join(",")];
  for (let second = 0; second < seconds; second++) {
    const depth = spell(second / seconds);
    const beats = heart() + 22 * depth;
    const probe = probeOff();
    const belt = beltOff();
    const cells = [
      formatInstant({ ...from, seconds: from.seconds + second }),
      Math.round(beats).toFixed(0),
      probe ? "NaN" : Math.round(beats + (random() - 0.5)).toFixed(0),
      probe ? "NaN" : Math.min(100, Math.round(oxygen() - 9 * depth)).toFixed(0),
      belt ? "NaN" : Math.round(breath() + 9 * depth).toFixed(0),
      warmth().toFixed(1),
      Math.round(pressure() + 6 * depth).toFixed(0),
    ];
    rows.push(cells.join(","));
  }
  return `${rows.join("\n")}\n`;
}

/** 0 outside the spell, rising to 1 at its middle. */
function spell(share: number): number {
  const middle = (SPELL.from + SPELL.to) / 2;
  const distance = Math.abs(share - middle) / (middle - SPELL.from);
  return distance >= 1 ? 0 : 1 - distance * distance;
}

/** A value that wanders and is drawn back: each step leaves `pull` of the way home and adds up to `noise`. */
function drift(random: () => number, home: number, pull: number, noise: number): () => number {
  let value = home;
  return () => (value += (home - value) * pull + (random() + random() - 1) * 2 * noise);
}

/** True while a sensor is off: begins with `chance` a second, lasts up to `longest` seconds. */
function gaps(random: () => number, chance: number, longest: number): () => boolean {
  let left = 0;
  return () => {
    if (left === 0 && random() < chance) left = 1 + Math.floor(random() * longest);
    if (left === 0) return false;
    left--;
    return true;
  };
}

/** Mulberry32, a small public-domain generator on 32-bit integers; for samples only. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** `node examples/simulate.ts [--seed N] [--seconds N] [--start INSTANT] [--out FILE]` */
async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { seed: text, seconds: text, start: text, out: text } });
  const simulation = {
    seed: Number(values.seed ?? WARD_BED_7.seed),
    seconds: Number(values.seconds ?? WARD_BED_7.seconds),
    start: values.start ?? WARD_BED_7.start,
  };
  await writeFile(values.out ?? fileURLToPath(new URL("ward-bed-7.csv", import.meta.url)), simulate(simulation));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
