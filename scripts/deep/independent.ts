import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sha256 } from "../../src/bytes/hash.ts";
import { hex } from "../../src/bytes/bytes.ts";

const HOME = join(import.meta.dirname, "..", "..", "test", "independent");

/** The verifier of test/independent, which shares no code with ours, as a process that answers questions. */
export interface Independent {
  ask(question: object): Promise<unknown>;
  close(): void;
}

/** What `python -m medseal` prints with these arguments, of one call. */
export function runIndependent(...words: string[]): unknown {
  const { status, stdout, stderr } = spawnSync(pythonPath(), ["-B", "-m", "medseal", ...words], {
    cwd: HOME,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the independent verifier failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** Why it cannot be had here; undefined when it can. Sets it up on first use, from the package registry of Python. In CI it must be there. */
export function lacking(): string | undefined {
  const why = setUp();
  if (why !== undefined && process.env["CI"] !== undefined) throw new Error(`a run that counts needs it: ${why}`);
  return why;
}

function setUp(): string | undefined {
  const python = pythonPath();
  if (existsSync(python)) return undefined;
  const fresh = `${venvPath()}.${process.pid}`;
  const steps = [
    ["python3", "-m", "venv", fresh],
    [
      join(fresh, "bin", "pip"),
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "-r",
      join(HOME, "requirements.txt"),
    ],
  ];
  for (const [command, ...words] of steps as [string, ...string[]][]) {
    const { status, stderr, error } = spawnSync(command, words, { encoding: "utf8" });
    if (status === 0) continue;
    rmSync(fresh, { recursive: true, force: true });
    return `no Python with ${words.includes("venv") ? "venv" : "its packages"}: ${(error?.message ?? stderr).trim().split("\n").at(-1)}`;
  }
  try {
    renameSync(fresh, venvPath());
  } catch (error) {
    // Another process was faster.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(python)) throw error;
  }
  return undefined;
}

const venvPath = (): string =>
  join(HOME, ".venv", hex(sha256(readFileSync(join(HOME, "requirements.txt")))).slice(0, 12));

const pythonPath = (): string => join(venvPath(), "bin", "python");

export function openIndependent(): Independent {
  const child = spawn(pythonPath(), ["-B", "-m", "medseal", "serve"], {
    cwd: HOME,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on("close", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("the independent verifier ended before it answered"));
  });
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(question)}\n`);
      }),
    close: () => child.stdin.end(),
  };
}
