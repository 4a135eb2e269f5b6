import { open, readdir, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Call, Fault } from "./power.ts";

type Roll = (below: number) => number;

/** How many calls of a kind a gateway makes in a second or two. */
const OFTEN: Readonly<Record<Call, number>> = { sync: 20, write: 40, truncate: 2, read: 20 };

const FAULTS = [
  ["sync", "EIO"],
  ["write", "EIO"],
  ["write", "ENOSPC"],
  ["read", "EIO"],
  ["sync", "EIO"],
  ["write", "EIO"],
  ["truncate", "EIO"],
] as const;

/** Some calls of one kind, from a random one on. */
export function someFault(roll: Roll): Fault {
  const [call, error] = FAULTS[roll(FAULTS.length)] as (typeof FAULTS)[number];
  const first = 1 + roll(OFTEN[call]);
  return { call, error, first, last: first + roll(20) };
}

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
