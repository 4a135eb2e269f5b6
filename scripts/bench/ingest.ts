import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openGround, type Ground } from "./ingest-ground.ts";
import type { Mode, Round } from "./ingest-process.ts";
import { LARGE, reached, TARGETS } from "./ingest-table.ts";
import { watchMachine, type Machine } from "./machine.ts";
import { peerLoop } from "./peer-loop.ts";
import { jsonBytes, longRecording, patientsRecordings, record, sample, type Recorded } from "./recordings.ts";

/** One size of recording; rates are readings a second. */
export interface IngestRow {
  readonly readings: number;
  /** From the file to the mined anchor: parse, salted leaf, compress, seal, journal, fsync, read back, anchor. */
  readonly perSecond: number;
  /** Up to the sealed bytes. */
  readonly sealedPerSecond: number;
  /** What two SHA-256 of 64 bytes a reading alone would allow. */
  readonly bound: number;
  readonly peerLoop: number;
  readonly bytesPerReading: number;
  readonly jsonBytesPerReading: number;
  /** On hourly checkpoints. */
  readonly gasPerReading: number;
  /** Of the ingesting process, with the chain in another. */
  readonly peakRssMiB: number;
}

/** The largest recording with worker threads. */
export interface ThreadsRow {
  readonly threads: number;
  readonly perSecond: number;
  readonly sealedPerSecond: number;
  /** Processor time of the thread that reads and seals, in microseconds a reading, end to end. */
  readonly mainMicroseconds: number;
  readonly peakRssMiB: number;
}

/** Bytes of a recording of a patient, beside those of what is made up; without a target. */
export interface RecordingRow {
  readonly name: string;
  readonly readings: number;
  readonly bytesPerReading: number;
  readonly jsonBytesPerReading: number;
}

/** A file of its own size, for memory alone. */
export interface FileRow {
  readonly gib: number;
  readonly readings: number;
  readonly perSecond: number;
  readonly peakRssMiB: number;
}

export interface IngestReport {
  /** What measured the bound. */
  readonly boundBy: string;
  readonly ingest: readonly IngestRow[];
  /** The first is without. */
  readonly threads: readonly ThreadsRow[];
  readonly recordings: readonly RecordingRow[];
  /** When it was asked for. */
  readonly file?: FileRow;
  readonly machine: Machine;
  /** Whether every recording that is large enough for the targets reached them all. */
  readonly pass: boolean;
}

export interface IngestSettings {
  /** Readings of the recordings, about and at least. */
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Size of a file to measure memory with; none without it, as it takes minutes. */
  readonly fileGib?: number;
}

export const INGEST: IngestSettings = { sizes: [1_000, 10_000, 100_000, 1_000_000], rounds: 5 };
/** Threads of `ThreadsRow`s. */
const THREADS = [0, 1, 2, 4];

/** Options of node for a gateway of little memory: without them the collector lets garbage lie as long as the machine has room. */
const SPARING = ["--max-semi-space-size=12", "--heap-growing-percent=30"];

/** Medians over the rounds, each in a process and a gateway of its own. */
export async function benchIngest({ sizes, rounds, fileGib }: IngestSettings = INGEST): Promise<IngestReport> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const ground = await openGround();
  try {
    const machine = watchMachine();
    const peers = await peerLoop(ground.world, await sample(folder));
    const ingest: IngestRow[] = [];
    let [boundBy, threads]: [string, readonly ThreadsRow[]] = ["", []];
    for (const size of sizes) {
      const recording = await record(folder, size);
      const run = (mode: Mode): Promise<Round> => oneRound(ground, recording, mode);
      const anchored = await times(rounds, () => run("anchored"));
      const sealed = await times(rounds, () => run("sealed"));
      const hourly = await run("hourly");
      boundBy = hourly.boundBy;
      const { readings } = recording;
      ingest.push({
        readings,
        perSecond: rate(anchored, recording),
        sealedPerSecond: rate(sealed, recording),
        bound: Math.round(median([...anchored, ...sealed].flatMap(({ bound }) => bound))),
        peerLoop: rounded(peers),
        bytesPerReading: rounded(median(anchored.map(({ bytes }) => bytes)) / readings),
        jsonBytesPerReading: rounded((await jsonBytes(recording)) / readings),
        gasPerReading: rounded(hourly.gas / readings),
        peakRssMiB: peakOf(anchored),
      });
      if (size === Math.max(...sizes)) threads = await withThreads(ground, recording, rounds);
    }
    const recordings = await realRecordings(ground);
    const file = fileGib === undefined ? {} : { file: await large(ground, folder, fileGib) };
    const reachedAll = ingest.every((row) => row.readings < LARGE || reached(row).every(({ ok }) => ok));
    const pass = reachedAll && (!file.file || file.file.peakRssMiB < TARGETS.rssMiB);
    return { boundBy, ingest, threads, recordings, ...file, machine: machine(), pass };
  } finally {
    await ground.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const rate = (all: readonly Round[], { readings }: Recorded): number =>
  Math.round(readings / median(all.map(({ seconds }) => seconds)));

const peakOf = (all: readonly Round[]): number => Math.round(Math.max(...all.map(({ peakRssMiB }) => peakRssMiB)));

/** The rounds of each number of threads come by turns, so that what else the machine does falls on all of them. */
async function withThreads(ground: Ground, recording: Recorded, rounds: number): Promise<ThreadsRow[]> {
  const all = THREADS.map((threads) => ({ threads, anchored: [] as Round[], sealed: [] as Round[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { threads, anchored, sealed } of all) {
      anchored.push(await oneRound(ground, recording, "anchored", threads));
      sealed.push(await oneRound(ground, recording, "sealed", threads));
    }
  }
  return all.map(({ threads, anchored, sealed }) => ({
    threads,
    perSecond: rate(anchored, recording),
    sealedPerSecond: rate(sealed, recording),
    mainMicroseconds: rounded(median(anchored.map(({ readings, mainSeconds }) => (1e6 * mainSeconds) / readings))),
    peakRssMiB: peakOf(anchored),
  }));
}

async function realRecordings(ground: Ground): Promise<RecordingRow[]> {
  const rows: RecordingRow[] = [];
  for (const { name, recording } of await patientsRecordings()) {
    const { bytes } = await oneRound(ground, recording, "anchored");
    const { readings } = recording;
    rows.push({
      name,
      readings,
      bytesPerReading: rounded(bytes / readings),
      jsonBytesPerReading: rounded((await jsonBytes(recording)) / readings),
    });
  }
  return rows;
}

async function large(ground: Ground, folder: string, gib: number): Promise<FileRow> {
  const recording = await longRecording(folder, gib * 2 ** 30);
  const round = await oneRound(ground, recording, "anchored");
  return {
    gib,
    readings: recording.readings,
    perSecond: rate([round], recording),
    peakRssMiB: peakOf([round]),
  };
}

async function oneRound(ground: Ground, recording: Recorded, mode: Mode, threads = 0): Promise<Round> {
  const posting = await ground.post(recording.stream, recording.window);
  const file = fileURLToPath(new URL("ingest-process.ts", import.meta.url));
  const child = fork(file, { serialization: "advanced", execArgv: SPARING });
  const ended = once(child, "exit");
  const answer = once(child, "message") as Promise<[Round]>;
  child.send({ mode, file: recording.file, options: recording.options, posting, threads });
  const [round] = await Promise.race([
    answer,
    ended.then(([code]) => Promise.reject(new Error(`the ingesting process ended with ${code}`))),
  ]);
  await ended;
  if (round.readings !== recording.readings + recording.missing) throw new Error("a reading was lost on the way");
  return round;
}

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let i = 0; i < count; i++) done.push(await work());
  return done;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
