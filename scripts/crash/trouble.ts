import { execFileSync } from "node:child_process";
import { open, readdir, readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";

type Roll = (below: number) => number;

/** Whether system calls can be made to fail here. */
export function canFail(): boolean {
  try {
    execFileSync("strace", ["-qq", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const FAULTS = [
  ["fsync,fdatasync", "EIO"],
  ["pwrite64", "EIO"],
  ["pwrite64", "ENOSPC"],
  ["ftruncate", "EIO"],
  ["pread64", "EIO"],
] as const;

/** A command before the gateway's own, under which some system calls on files fail from a random one on. */
export function failing(roll: Roll, log: string): string[] {
  const [calls, error] = FAULTS[roll(FAULTS.length)] as (typeof FAULTS)[number];
  const first = 1 + roll(120);
  const rule = `inject=${calls}:error=${error}:when=${first}..${first + roll(20)}`;
  return ["strace", "-f", "-qq", "-o", log, "-e", `trace=${calls}`, "-e", rule];
}

/** How many calls were made to fail. */
export const failed = async (log: string): Promise<number> =>
  (await readFile(log, "utf8").catch(() => "")).split("INJECTED").length - 1;

/** Flips one bit in one file of the journal, or cuts off the end of one of its write-ahead logs. @returns what it did. */
export async function damage(folder: string, roll: Roll): Promise<string> {
  const files: string[] = [];
  for (const name of (await readdir(folder)).filter((one) => /^journal-\d+\.sqlite(\.twin)?(-wal)?$/.test(one)).sort())
    if ((await stat(join(folder, name))).size > 0) files.push(name);
  const name = files[roll(files.length)];
  if (name === undefined) return "nothing";
  const path = join(folder, name);
  const { size } = await stat(path);
  if (name.endsWith("-wal") && roll(3) === 0) {
    const left = roll(size);
    await truncate(path, left);
    return `${name} cut to ${left} of ${size} bytes`;
  }
  const [at, bit] = [roll(size), roll(8)];
  const file = await open(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    byte[0] = (byte[0] as number) ^ (1 << bit);
    await file.write(byte, 0, 1, at);
  } finally {
    await file.close();
  }
  return `${name}, byte ${at}, bit ${bit}`;
}
