import { fork, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./compiler.ts";
import type { Step } from "./tests.ts";
import type { Ruling, Saying, Task } from "./worker.ts";

/** What a copy of the project needs so that its contract tests run. */
const COPIED = [
  ...["contracts", "test", "src", "examples", "scripts", "ignition", "tools", "typechain-types", "docs"],
  ...["package.json", "hardhat.config.ts"],
];
const ARTIFACTS = ["artifacts/contracts", "artifacts/test"];
/** Invariants by a short campaign, the same for every mutant. */
const ENV = {
  HARDHAT_DISABLE_TELEMETRY: "true",
  MEDSEAL_CALLS: "1500",
  MEDSEAL_SEED: "1",
  MEDSEAL_VECTORS: process.env["MEDSEAL_VECTORS"] ?? join(ROOT, "../shared/vectors"),
};
/** Of one test file, also on a busy machine. An endless loop in a test is a kill. */
const LONGEST_MS = 600_000;
/** A worker does not give back all the memory that it took. */
const MOST_TASKS = 150;

/** A copy of the project with a process in it that judges one mutant after the other. */
export class Bench {
  readonly #folder: string;
  #worker: ChildProcess | undefined;
  #tasks = 0;
  /** The file whose mutants stand in the artifacts. */
  #file = "";

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "medseal-mutation-"));
    this.#copy(COPIED);
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"), "dir");
  }

  /** A worker that dies may have died of its age: only a young one dies of the mutant. */
  async judge(task: Task): Promise<Ruling> {
    // A test may deploy more than what its mutant is part of: no mutant of another file may be left there.
    if (task.changed.file !== this.#file) this.#copy(ARTIFACTS);
    this.#file = task.changed.file;
    if (this.#tasks++ % MOST_TASKS === 0) this.#stop();
    const isYoung = this.#worker === undefined;
    const ruling = await this.#ask(task);
    if (ruling !== "died") return ruling;
    if (!isYoung) return this.judge(task);
    if (task.unchanged) throw new Error(`the tests of ${task.changed.file} end their process`);
    return { verdict: "killed" };
  }

  #copy(paths: readonly string[]): void {
    const filter = (path: string): boolean => !path.includes(".venv");
    for (const path of paths) cpSync(join(ROOT, path), join(this.#folder, path), { recursive: true, filter });
  }

  close(): void {
    this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ask(task: Task): Promise<Ruling | "died"> {
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve) => {
      let step: Step | undefined;
      const hangs = (): void => end({ verdict: "killed", ...(step === undefined ? {} : { by: step }) }, true);
      let timer = setTimeout(hangs, LONGEST_MS);
      const end = (ruling: Ruling | "died", isGone: boolean): void => {
        clearTimeout(timer);
        worker.off("message", hear).off("exit", dies);
        if (isGone) this.#stop();
        resolve(ruling);
      };
      const hear = (saying: Saying): void => {
        if ("ruling" in saying) return end(saying.ruling, false);
        step = saying.begins;
        clearTimeout(timer);
        timer = setTimeout(hangs, LONGEST_MS);
      };
      const dies = (): void => end("died", true);
      worker.on("message", hear).on("exit", dies);
      worker.send(task);
    });
  }

  #start(): ChildProcess {
    // A test that runs this stands in Hardhat itself, whose options for its workers name the project's own configuration.
    const own = Object.entries(process.env).filter(([name]) => !/^(HARDHAT|HH)_/.test(name));
    return fork(join(this.#folder, "scripts", "mutation", "worker.ts"), {
      cwd: this.#folder,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
      env: { ...Object.fromEntries(own), ...ENV },
    });
  }

  #stop(): void {
    this.#worker?.removeAllListeners("exit").kill("SIGKILL");
    this.#worker = undefined;
  }
}
