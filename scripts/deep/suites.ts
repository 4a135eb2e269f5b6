import { spawn } from "node:child_process";
import { join } from "node:path";
import { parallel } from "../../src/ipfs/parallel.ts";

/** A test that `npm test` runs at a small size, and the variable that sets it. */
interface Suite {
  /** Below test/, without `.test.ts`. */
  readonly file: string;
  readonly variable: string;
  readonly size: number | "all";
}

export interface SuiteResult extends Suite {
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

export interface SuiteFigures {
  readonly seed: string;
  readonly suites: readonly SuiteResult[];
  readonly passed: number;
  readonly failed: number;
  /** What the failed ones said last. */
  readonly told: readonly string[];
  readonly pass: boolean;
}

/** Windows, ends, schedules and the ledger, each at full size. */
export const CONSENT: readonly Suite[] = [
  { file: "integration/windows", variable: "MEDSEAL_WINDOWS", size: 1_000 },
  { file: "unit/keys/windows", variable: "MEDSEAL_WINDOWS", size: 100_000 },
  { file: "integration/schedules", variable: "MEDSEAL_SCHEDULES", size: 600 },
  { file: "integration/watched", variable: "MEDSEAL_SCHEDULES", size: 2_000 },
  { file: "chain/permission", variable: "MEDSEAL_PERMISSIONS", size: 6_000 },
  { file: "chain/ledger-sync", variable: "MEDSEAL_LEDGER_ROUNDS", size: 800 },
];

/** Blocks on the disk, crashes, proofs with flipped bits, swapped and mutated formats, hostile files. */
export const STORAGE: readonly Suite[] = [
  { file: "unit/state/twin-lives", variable: "MEDSEAL_LIVES", size: 1_000 },
  { file: "unit/feed/seen-campaign", variable: "MEDSEAL_COURSES", size: 100 },
  { file: "unit/ipfs/crash", variable: "MEDSEAL_CRASH_ROUNDS", size: 30 },
  { file: "integration/crash", variable: "MEDSEAL_CRASHES", size: "all" },
  { file: "integration/outage", variable: "MEDSEAL_CRASHES", size: "all" },
  { file: "integration/proof", variable: "MEDSEAL_FLIPS", size: "all" },
  { file: "integration/evidence", variable: "MEDSEAL_FLIPS", size: 100_000 },
  { file: "integration/swaps", variable: "MEDSEAL_SWAPS", size: "all" },
  { file: "integration/story", variable: "MEDSEAL_PATIENTS", size: 16 },
  { file: "unit/log/strictness", variable: "MEDSEAL_MUTATIONS", size: 200_000 },
  { file: "unit/envelope/envelope", variable: "MEDSEAL_MUTATIONS", size: 200_000 },
  { file: "unit/intake/hostile", variable: "MEDSEAL_MUTATIONS", size: 20_000 },
  { file: "unit/intake/bad-input", variable: "MEDSEAL_DEEP", size: "all" },
];

const HARDHAT = ["node_modules/hardhat/dist/src/cli.js", "test", "mocha", "--no-compile"];

/** At once: more than one core each is waste. */
const LANES = 2;

/** @param scale - Of the sizes that are numbers; the others run as they are at 1 only. */
export async function deepSuites(
  suites: readonly Suite[],
  seed: string,
  scale: number,
  tell: (what: string) => void,
): Promise<SuiteFigures> {
  const told: string[] = [];
  const chosen = suites.filter(({ size }) => size !== "all" || scale >= 1);
  const results = await parallel(chosen, LANES, async (suite) => {
    const size = suite.size === "all" ? suite.size : Math.max(1, Math.round(suite.size * scale));
    const { text, ...counted } = await run({ ...suite, size }, seed);
    tell(`${suite.file}: ${counted.passed} passed, ${counted.failed} failed, ${counted.seconds} s`);
    if (counted.failed > 0) told.push(`${suite.file}: ${text.slice(-4000)}`);
    return { ...suite, size, ...counted };
  });
  const sum = (key: "passed" | "failed"): number => results.reduce((all, result) => all + result[key], 0);
  const failed = sum("failed");
  return { seed, suites: results, passed: sum("passed"), failed, told, pass: failed === 0 && sum("passed") > 0 };
}

function run(
  { file, variable, size }: Suite,
  seed: string,
): Promise<{ passed: number; failed: number; seconds: number; text: string }> {
  const begun = Date.now();
  const runner = file.startsWith("unit/") ? ["node_modules/mocha/bin/mocha.js"] : HARDHAT;
  const child = spawn(process.execPath, [...runner, "scripts/deep/patience.ts", `test/${file}.test.ts`], {
    cwd: join(import.meta.dirname, "../.."),
    env: { ...process.env, [variable]: String(size), MEDSEAL_SEED: seed, HARDHAT_DISABLE_TELEMETRY: "true" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return new Promise((resolve) =>
    child.once("close", (code) => {
      const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}`, "m").exec(text)?.[1] ?? 0);
      resolve({
        passed: count("passing"),
        failed: Math.max(count("failing"), code === 0 ? 0 : 1),
        seconds: Math.round((Date.now() - begun) / 1000),
        text,
      });
    }),
  );
}

export const suitesTable = ({ seed, suites, passed, failed, told }: SuiteFigures): string =>
  [
    ...suites.map(
      ({ file, size, passed, failed, seconds }) =>
        `${file} (${size}): ${passed} passed, ${failed} failed, ${seconds} s`,
    ),
    `seed ${seed}: ${passed} passed, ${failed} failed`,
    ...told,
  ].join("\n");
