import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MedSealError } from "../../../src/errors.ts";
import type { IntakeOptions } from "../../../src/intake/types.ts";
import { parseInstant } from "../../../src/observation/instant.ts";
import { DATA, EXAMPLES, folder, take } from "./support.ts";

const FILES = Number(process.env["MEDSEAL_MUTATIONS"] ?? 200);
const SEED = Number(process.env["MEDSEAL_SEED"] ?? 20_260_301);

/** Bytes that parsers trip over. */
const POISON = [
  "\0",
  '"',
  "\n",
  "\r",
  ",",
  "\xff",
  "\xed\xa0\x80",
  "{",
  "}",
  "[",
  "]",
  "\\",
  "NaN",
  "-",
  "e9999",
  "=cmd",
  "\ufeff",
  "\x1b",
  "\u2028",
  "__proto__",
];

/** Numerical Recipes' generator; enough to choose places. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

function mutate(source: Buffer, below: (n: number) => number): Buffer {
  let bytes = source;
  for (let i = 1 + below(6); i > 0; i--) {
    const [at, to] = [below(bytes.length + 1), below(bytes.length + 1)].toSorted((a, b) => a - b) as [number, number];
    const poison = Buffer.from(POISON[below(POISON.length)] ?? "", "latin1");
    const change = below(4);
    if (change === 0) bytes = Buffer.concat([bytes.subarray(0, at), poison, bytes.subarray(at)]);
    else if (change === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(to, at + below(40)))]);
    else if (change === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 200), bytes.subarray(at)]);
    else bytes = Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ (1 << below(8)) : byte)));
  }
  return bytes;
}

describe("intake of mutated files", () => {
  const files = folder();
  const start = "2026-03-01T08:00:00Z";
  const sources: [path: string, options: IntakeOptions][] = [
    [join(EXAMPLES, "ward-bed-7.csv"), {}],
    [join(DATA, "bidmc_numerics/bidmc_01_Numerics.csv"), { start }],
    [join(DATA, "cgm_bigideas/Dexcom_001.csv"), { zone: "America/New_York" }],
    [join(DATA, "fhir_phd_nonin_bundle/bundle-continuousnonin.json"), {}],
    [join(DATA, "fhir_r4_vitals/Observation-ekg.json"), {}],
    [join(DATA, "fhir_r4_vitals/Observation-blood-pressure-dar.json"), {}],
  ];

  it(`reads ${FILES} without a crash: rows, quarantined rows or a typed error`, async function () {
    this.timeout(600_000);
    const there = sources.filter(([path]) => existsSync(path));
    const below = generator(SEED);
    const outcomes = { read: 0, refused: 0, quarantined: 0 };
    console.log(`      seed ${SEED} over ${there.length} files`);
    const starts = there.map(([path]) => beginning(readFileSync(path)));
    for (let i = 0; i < FILES; i++) {
      const [, options] = there[i % there.length] as [string, IntakeOptions];
      const file = await files.write("mutated", mutate(starts[i % there.length] as Buffer, below));
      try {
        const taken = await take(file, options);
        outcomes.read++;
        if (taken.quarantined.length > 0) outcomes.quarantined++;
        for (const { observation } of taken.observations)
          expect(parseInstant(observation.time)).not.to.equal(undefined);
        for (const { at, reason, code } of taken.quarantined) {
          expect(at.line).to.be.greaterThan(0);
          expect(reason).not.to.equal("");
          expect(code).to.match(/^ERR_[A-Z0-9_]+$/);
        }
      } catch (error) {
        expect(error, (error as Error).stack).to.be.instanceOf(MedSealError);
        outcomes.refused++;
      }
    }
    console.log(
      `      ${outcomes.read} read, ${outcomes.quarantined} of them with quarantined rows, ${outcomes.refused} refused`,
    );
    expect(outcomes.quarantined).to.be.greaterThan(FILES / 10);
    expect(outcomes.read).to.be.greaterThan(FILES / 4);
  });

  /** Long recordings are cut, so that changes fall where they matter and the test stays quick. */
  function beginning(bytes: Buffer): Buffer {
    return bytes[0] === 0x7b ? bytes : bytes.subarray(0, 8000);
  }
});
