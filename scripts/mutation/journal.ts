import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, type Changed } from "./compiler.ts";
import { testsOf } from "./suites.ts";
import type { Ruling } from "./worker.ts";

/** What every verdict depends on; when any of it changes, all are void. */
const INPUTS = [
  ...["contracts", "test/contracts", "test/chain", "test/unit/alerts", "hardhat.config.ts", "package-lock.json"],
  ...["compiler", "kill", "schema", "tests", "worker"].map((name) => `scripts/mutation/${name}.ts`),
];
const isSuite = (path: string): boolean => /\.(test\.ts|t\.sol)$/.test(path);

/**
 * Verdicts on disk, one a line, so that a run that was cut off goes on where it stood. A kill stands as long as the test
 * file that did it; that nothing kills a mutant, as long as all files of its tests.
 */
export class VerdictJournal {
  readonly #file: string;
  readonly #inputs = digestOf(INPUTS.flatMap(filesOf).filter((path) => !isSuite(path)));
  readonly #known = new Map<string, Ruling>();

  constructor(file = join(ROOT, "cache", "mutation.jsonl")) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    for (const line of lines) {
      // The last line of a run that was killed may be half a line.
      if (!line.endsWith("}")) continue;
      const { key, ...ruling } = JSON.parse(line) as Ruling & { key: string };
      this.#known.set(key, ruling);
    }
  }

  get(changed: Changed): Ruling | undefined {
    for (const file of [...testsOf(changed.file), undefined]) {
      const ruling = this.#known.get(this.#key(changed, file));
      if (ruling !== undefined) return ruling;
    }
    return undefined;
  }

  put(changed: Changed, ruling: Ruling): void {
    const key = this.#key(changed, ruling.by?.file);
    this.#known.set(key, ruling);
    appendFileSync(this.#file, `${JSON.stringify({ key, ...ruling })}\n`);
  }

  #key({ file, content }: Changed, by: string | undefined): string {
    const tests = by === undefined ? testsOf(file) : [by];
    return sha256([this.#inputs, file, content, digestOf(tests.map((path) => join(ROOT, path)))]);
  }
}

const sha256 = (parts: readonly string[]): string => createHash("sha256").update(parts.join("\0")).digest("hex");

const digests = new Map<string, string>();

function digestOf(paths: readonly string[]): string {
  return sha256(
    paths.map((path) => {
      const digest = digests.get(path) ?? sha256([readFileSync(path, "latin1")]);
      digests.set(path, digest);
      return path.slice(ROOT.length) + digest;
    }),
  );
}

function filesOf(path: string): string[] {
  const full = join(ROOT, path);
  if (/\.\w+$/.test(path)) return [full];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
