import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Verdict } from "./kill.ts";
import { ROOT, type Mutant } from "./mutants.ts";

/** What verdicts depend on; when any of it changes, they are void. */
const INPUTS = [
  "contracts",
  "test/contracts",
  "test/chain",
  "scripts/mutation",
  "hardhat.config.ts",
  "package-lock.json",
];

/** Verdicts on disk, one a line, so that a run that was cut off goes on where it stood. */
export class VerdictJournal {
  readonly #file: string;
  readonly #inputs: string;
  readonly #known = new Map<string, Verdict>();

  constructor(file = join(ROOT, "cache", "mutation.jsonl")) {
    this.#file = file;
    this.#inputs = digestOf(INPUTS.flatMap(filesOf).map((path) => path + digestOf([readFileSync(path, "latin1")])));
    mkdirSync(dirname(file), { recursive: true });
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    for (const line of lines) {
      // The last line of a run that was killed may be half a line.
      if (!line.endsWith("}")) continue;
      const { key, verdict } = JSON.parse(line) as { key: string; verdict: Verdict };
      this.#known.set(key, verdict);
    }
  }

  get(mutant: Mutant): Verdict | undefined {
    return this.#known.get(this.#key(mutant));
  }

  put(mutant: Mutant, verdict: Verdict): void {
    const key = this.#key(mutant);
    this.#known.set(key, verdict);
    appendFileSync(this.#file, `${JSON.stringify({ key, verdict })}\n`);
  }

  #key({ file, content }: Mutant): string {
    return digestOf([this.#inputs, file, content]);
  }
}

const digestOf = (parts: readonly string[]): string => createHash("sha256").update(parts.join("\0")).digest("hex");

function filesOf(path: string): string[] {
  const full = join(ROOT, path);
  if (/\.\w+$/.test(path)) return [full];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
