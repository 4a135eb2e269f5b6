import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../src/bytes/hash.ts";
import { random } from "../../src/bytes/random.ts";
import { fromHex, hex } from "../../src/bytes/bytes.ts";
import { fileOf, FileBlockstore } from "../../src/ipfs/blocks.ts";
import { BATCH_CLASSES } from "../../src/log/batch.ts";
import { anchored, EPOCH_LENGTH, makeSample, type Sample } from "../deep/sample.ts";
import type { Round, Task } from "./verify-process.ts";

export interface VerifyReport {
  readonly verify: {
    readonly readings: number;
    /** Readings a second with a read grant, in one thread. */
    readonly perSecond: number;
    /** What two SHA-256 of 64 bytes a reading alone would allow. */
    readonly bound: number;
    /** Without a key. */
    readonly blocksPerSecond1k: number;
    readonly mbPerSecond64k: number;
    /** Of the verifying process. */
    readonly peakRssMiB: number;
  };
  /** What measured the bound. */
  readonly boundBy: string;
  readonly memory: readonly { readonly readings: number; readonly peakRssMiB: number }[];
  readonly pass: boolean;
}

export interface VerifySettings {
  /** Readings of the archives, about; the last is the largest. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Blocks of 1 KiB, and bytes of blocks of 64 KiB. */
  readonly blocks: number;
  readonly bytes: number;
}

export const VERIFY: VerifySettings = { sizes: [100_000, 1_000_000], rounds: 5, blocks: 40_000, bytes: 256 * 2 ** 20 };
const TARGETS = { share: 0.6, blocks: 20_000, megabytes: 300, growth: 1.25 };
const MEGABYTE = 1_000_000;

/** Medians over the rounds, each in a process of its own. Archives are made up, their block files are real, the chain's part is left out. */
export async function benchVerify({ sizes, rounds, blocks, bytes }: VerifySettings = VERIFY): Promise<VerifyReport> {
  const run = async (task: Task): Promise<Round[]> => {
    const done: Round[] = [];
    for (let i = 0; i < rounds; i++) done.push(await oneRound(task));
    return done;
  };
  const read: { readonly readings: number; readonly perSecond: number; readonly rounds: Round[] }[] = [];
  for (const size of sizes) {
    const rows = await withRecording(size, run);
    const seconds = median(rows.map((row) => row.seconds));
    const { verified: readings } = rows[0] as Round;
    read.push({ readings, perSecond: Math.round(readings / seconds), rounds: rows });
  }
  const small = await withBlocks(0, blocks / 2, run);
  const large = await withBlocks(3, Math.ceil(bytes / BATCH_CLASSES[3]), run);
  const largest = read.at(-1) as (typeof read)[number];
  const memory = read.map((row) => ({ readings: row.readings, peakRssMiB: peakOf(row.rounds) }));
  const verify = {
    readings: largest.readings,
    perSecond: largest.perSecond,
    bound: Math.round(median(largest.rounds.flatMap(({ bound }) => bound))),
    blocksPerSecond1k: Math.round(median(small.map(({ verified, seconds }) => verified / seconds))),
    mbPerSecond64k: Number(median(large.map(({ seconds }) => bytes / MEGABYTE / seconds)).toPrecision(3)),
    peakRssMiB: peakOf(largest.rounds),
  };
  const report = { verify, boundBy: (largest.rounds[0] as Round).boundBy, memory };
  return { ...report, pass: reached(report).every(({ ok }) => ok) };
}

/** One stream at 1 Hz with a batch an hour, and keys to read it. */
async function withRecording<T>(readings: number, work: (task: Task) => Promise<T>): Promise<T> {
  const perBatch = Math.min(EPOCH_LENGTH, readings);
  const sample = makeSample("verify", {
    streams: 1,
    epochs: Math.ceil(readings / perBatch),
    readings: perBatch,
    mail: 16,
  });
  return inFolder(sample, sample.streams[0], work);
}

/** Blocks that open for nobody, as padding does: a header of 1 KiB and a batch of this class for each entry. */
async function withBlocks<T>(batchClass: number, entries: number, work: (task: Task) => Promise<T>): Promise<T> {
  const empty = makeSample("verify", { streams: 1, epochs: 1, readings: 0, mail: 0 });
  const blocks = new Map<string, Uint8Array>();
  const put = (size: number): Uint8Array => {
    const block = random(size);
    const digest = sha256(block);
    blocks.set(hex(digest), block);
    return digest;
  };
  const size = BATCH_CLASSES[batchClass] as number;
  const listed = Array.from({ length: entries }, () => ({ tag: random(32), header: put(1024), batch: put(size) }));
  return inFolder({ ...empty, blocks, checkpoints: [{ entries: listed, mail: [] }] }, undefined, work);
}

async function inFolder<T>(sample: Sample, keys: Task["keys"], work: (task: Task) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "medseal-bench-"));
  try {
    await new FileBlockstore(folder).open();
    const { history, blocks } = anchored(sample);
    for (const [digest, block] of blocks) writeFileSync(fileOf(folder, fromHex(digest)), block);
    return await work({ folder, place: sample.place, history, keys });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function oneRound(task: Task): Promise<Round> {
  const file = fileURLToPath(new URL("verify-process.ts", import.meta.url));
  const child = fork(file, { serialization: "advanced" });
  const ended = once(child, "exit");
  const answer = once(child, "message") as Promise<[Round]>;
  child.send(task);
  const [round] = await Promise.race([
    answer,
    ended.then(([code]) => Promise.reject(new Error(`the verifying process ended with ${code}`))),
  ]);
  await ended;
  return round;
}

const peakOf = (rounds: readonly Round[]): number => Math.round(Math.max(...rounds.map((round) => round.peakRssMiB)));

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

function reached({ verify, memory }: Pick<VerifyReport, "verify" | "memory">): { words: string; ok: boolean }[] {
  const share = verify.perSecond / verify.bound;
  const [least, most] = [Math.min, Math.max].map((pick) => pick(...memory.map(({ peakRssMiB }) => peakRssMiB)));
  const growth = (most as number) / (least as number);
  const said = memory
    .map(({ readings, peakRssMiB }) => `${peakRssMiB} MiB for ${readings.toLocaleString("en")} readings`)
    .join(", ");
  return [
    {
      words: `with a read grant ${(100 * share).toFixed(1)} % of the bound, at least ${100 * TARGETS.share} %`,
      ok: share >= TARGETS.share,
    },
    {
      words: `${verify.blocksPerSecond1k.toLocaleString("en")} blocks a second at 1 KiB, at least ${TARGETS.blocks.toLocaleString("en")}`,
      ok: verify.blocksPerSecond1k >= TARGETS.blocks,
    },
    {
      words: `${verify.mbPerSecond64k} MB a second at 64 KiB, at least ${TARGETS.megabytes}`,
      ok: verify.mbPerSecond64k >= TARGETS.megabytes,
    },
    { words: `${said}: at most ${TARGETS.growth} times as much`, ok: growth <= TARGETS.growth },
  ];
}

/** The report as a table for people. */
export function verifyTable(report: VerifyReport): string {
  const rows = Object.entries(report.verify).map(([name, value]) => `${name.padEnd(20)}${value.toLocaleString("en")}`);
  const verdicts = reached(report).map(({ words, ok }) => `${ok ? "PASS" : "FAIL"}  ${words}`);
  return [...rows, "", `bound: two SHA-256 of 64 bytes a reading by ${report.boundBy}`, ...verdicts].join("\n");
}
