import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, type Mutant } from "./mutants.ts";
import { groupOf, type Group } from "./suites.ts";

/** Stillborn: the compiler refuses it. Equivalent: it compiles to the same code. Neither is counted. */
export type Verdict = "killed" | "survived" | "equivalent" | "stillborn";

/** What a copy of the project needs so that its contract tests run. */
const COPIED = [
  ...["contracts", "test", "src", "examples", "scripts", "ignition", "tools", "typechain-types", "docs"],
  ...["package.json", "hardhat.config.ts"],
];
/** Invariants by a short campaign, the same for every mutant. */
const ENV = {
  HARDHAT_DISABLE_TELEMETRY: "true",
  MEDSEAL_CALLS: "1500",
  MEDSEAL_SEED: "1",
  MEDSEAL_VECTORS: process.env["MEDSEAL_VECTORS"] ?? join(ROOT, "../shared/vectors"),
};
/** An endless loop in a test is a kill. */
const LONGEST_MS = 180_000;

/** A copy of the project, in which one mutant after the other is built and tested. */
export class Bench {
  readonly #folder: string;
  /** The code of each group as it is, once its tests have passed on it. */
  readonly #unchanged = new Map<Group, string>();

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "medseal-mutation-"));
    for (const path of COPIED) cpSync(join(ROOT, path), join(this.#folder, path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"), "dir");
  }

  /** @throws Error when the tests fail on the contracts as they are: then no kill would mean anything. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const group = groupOf(mutant.file);
    const unchanged = await this.#codeUnchanged(group);
    const file = join(this.#folder, mutant.file);
    writeFileSync(file, mutant.content);
    try {
      if (!(await this.#build())) return "stillborn";
      if (this.#code(group) === unchanged) return "equivalent";
      return (await this.#passes(group)) ? "survived" : "killed";
    } finally {
      cpSync(join(ROOT, mutant.file), file);
    }
  }

  async #codeUnchanged(group: Group): Promise<string> {
    const known = this.#unchanged.get(group);
    if (known !== undefined) return known;
    if (!(await this.#build()) || !(await this.#passes(group)))
      throw new Error(`the tests of ${group.sources.join(", ")} fail on the contracts as they are`);
    const code = this.#code(group);
    this.#unchanged.set(group, code);
    return code;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #build(): Promise<boolean> {
    return this.#hardhat("build", "--no-typechain");
  }

  #code({ artifacts }: Group): string {
    const artifact = (name: string): string =>
      join(this.#folder, "artifacts", "contracts", `${name}.sol`, `${name}.json`);
    return artifacts
      .map((name) => (JSON.parse(readFileSync(artifact(name), "utf8")) as { bytecode: string }).bytecode)
      .join();
  }

  async #passes({ suites }: Group): Promise<boolean> {
    for (const suite of suites) if (!(await this.#hardhat(...suite))) return false;
    return true;
  }

  #hardhat(...args: string[]): Promise<boolean> {
    const cli = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
    const options = {
      cwd: this.#folder,
      stdio: "ignore",
      // A test that runs this stands in Hardhat itself, whose options for its workers name the project's own configuration.
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HARDHAT|HH)_/.test(name))),
        ...ENV,
      },
      timeout: LONGEST_MS,
    } as const;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [cli, ...args], options);
      child.on("error", reject).on("close", (code) => resolve(code === 0));
    });
  }
}
