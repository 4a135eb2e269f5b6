import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError } from "../src/errors.ts";
import { runMain } from "./main.ts";
import { compare, tourOf, type Step } from "./readme/tour.ts";
import { Shell } from "./readme/shell.ts";

/**
 * Runs the tour of the README word for word and compares what it prints with what stands there: in a fresh clone, or with --here in this
 * folder. --write puts what it printed into the README.
 */
async function readme(): Promise<void> {
  const { values } = parseArgs({
    options: { here: { type: "boolean" }, write: { type: "boolean" }, json: { type: "boolean" } },
  });
  const root = resolve(import.meta.dirname, "..");
  const data = resolve(process.env["MEDSEAL_DATA"] ?? join(root, "../shared/data"));
  if (!existsSync(data))
    throw new UsageError("the real recordings are not there", { hint: "set MEDSEAL_DATA to their folder" });
  const folder = await mkdtemp(join(tmpdir(), "medseal-readme-"));
  try {
    const clone = values.here || values.write ? root : join(folder, "clone");
    if (clone !== root) spawnSync("git", ["clone", "--quiet", root, clone], { stdio: ["ignore", 2, 2] });
    const text = await readFile(join(clone, "README.md"), "utf8");
    const steps = tourOf(text);
    const printed = await walk(steps, clone, { MEDSEAL_DATA: data, TMPDIR: folder, TZ: "UTC" });
    if (values.write) {
      const here = new RegExp(`${folder}/tmp\\.\\w+`, "g");
      const shown = printed.map((output) => output.replaceAll(here, "/tmp/tour").replaceAll(data, "../shared/data"));
      await writeFile(join(root, "README.md"), fill(text, steps, shown));
      return;
    }
    const differences = steps.flatMap((step, i) => compare(step, printed[i] as string));
    for (const difference of differences) console.error(difference);
    const report = { commands: steps.length, differ: differences.length };
    console.log(
      values.json
        ? JSON.stringify(report)
        : `${report.commands} commands, ${report.differ} print something else than the README`,
    );
    if (differences.length > 0) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What every command printed, on stdout and stderr. */
async function walk(steps: readonly Step[], folder: string, env: Record<string, string>): Promise<string[]> {
  const shell = new Shell(
    spawn("bash", ["--norc"], { cwd: folder, env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "inherit"] }),
  );
  const printed: string[] = [];
  try {
    for (const { command } of steps) {
      if (process.stderr.isTTY) console.error(`$ ${command}`);
      printed.push(await shell.run(command));
    }
  } finally {
    await shell.run("medseal down");
    shell.end();
  }
  return printed;
}

function fill(text: string, steps: readonly Step[], printed: readonly string[]): string {
  let filled = text;
  for (const [i, { whole, command }] of [...steps.entries()].reverse()) {
    const output = printed[i] as string;
    filled = filled.slice(0, whole.from) + `$ ${command}\n${output}` + filled.slice(whole.to);
  }
  return filled;
}

await runMain(readme);
