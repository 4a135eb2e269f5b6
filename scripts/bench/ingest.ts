import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulate, WARD_BED_7 } from "../../examples/simulate.ts";
import { openIntake } from "../../src/intake/intake.ts";
import type { IntakeOptions } from "../../src/intake/types.ts";
import { survey } from "../../src/intake/survey.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { formatInstant, parseInstant, type Instant } from "../../src/observation/instant.ts";
import { openGround, type Ground } from "./ingest-ground.ts";
import type { Mode, Round } from "./ingest-process.ts";
import { peerLoop } from "./peer-loop.ts";

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
  /** Runnable processes of the machine over the last minute, before and after; see `os.loadavg`. */
  readonly load: readonly [number, number];
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
/** Targets are set for recordings of this many readings. */
const LARGE = 1_000_000;
const TARGETS = { anchored: 0.4, sealed: 0.6, peers: 5_000, json: 60, gas: 3, rssMiB: 300 };

/** Options of node for a gateway of little memory: without them the collector lets garbage lie as long as the machine has room. */
const SPARING = ["--max-semi-space-size=16", "--heap-growing-percent=30"];

const CHANNELS = 6;
/** Readings that are not marked missing; a little less than in truth. */
const PRESENT = 0.98;
const EPOCH = 3600;
const DAY = 86_400;
const PEER_READINGS = 300;

/** Medians over the rounds, each in a process and a gateway of its own. */
export async function benchIngest({ sizes, rounds, fileGib }: IngestSettings = INGEST): Promise<IngestReport> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const ground = await openGround();
  try {
    const before = loadNow();
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
        jsonBytesPerReading: rounded(recording.json / readings),
        gasPerReading: rounded(hourly.gas / readings),
        peakRssMiB: peakOf(anchored),
      });
      if (size === Math.max(...sizes)) threads = await withThreads(ground, recording, rounds);
    }
    const recordings = await realRecordings(ground);
    const file = fileGib === undefined ? {} : { file: await large(ground, folder, fileGib) };
    const reachedAll = ingest.every((row) => row.readings < LARGE || reached(row).every(({ ok }) => ok));
    const pass = reachedAll && (!file.file || file.file.peakRssMiB < TARGETS.rssMiB);
    return { boundBy, ingest, threads, recordings, ...file, load: [before, loadNow()], pass };
  } finally {
    await ground.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const loadNow = (): number => rounded(loadavg()[0] as number);

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

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BEGUN = { start: "2026-03-01T08:00:00Z" };
const LOCAL = { zone: "America/New_York" };
/** Recordings of patients, under the folder that MEDSEAL_DATA names; left out where there is none. */
const REAL: readonly (readonly [name: string, file: string, options: IntakeOptions])[] = [
  ["BIDMC 01", "bidmc_numerics/bidmc_01_Numerics.csv", BEGUN],
  ["BIDMC 11", "bidmc_numerics/bidmc_11_Numerics.csv", BEGUN],
  ["CGM 001", "cgm_bigideas/Dexcom_001.csv", LOCAL],
  ["CGM 011", "cgm_bigideas/Dexcom_011.csv", LOCAL],
];

async function realRecordings(ground: Ground): Promise<RecordingRow[]> {
  const folder = process.env["MEDSEAL_DATA"] ?? join(ROOT, "../shared/data");
  const rows: RecordingRow[] = [];
  for (const [name, path, options] of REAL) {
    const file = join(folder, path);
    if (!existsSync(file)) continue;
    const recording = await recordingOf(file, options);
    const { bytes } = await oneRound(ground, recording, "anchored");
    const { readings, json } = recording;
    rows.push({
      name,
      readings,
      bytesPerReading: rounded(bytes / readings),
      jsonBytesPerReading: rounded(json / readings),
    });
  }
  return rows;
}

/** Day after day of the bedside monitor, until the file has its size. */
async function large(ground: Ground, folder: string, gib: number): Promise<FileRow> {
  const path = join(folder, "large.csv");
  const handle = await open(path, "wx");
  const begin = parseInstant(WARD_BED_7.start) as Instant;
  for (let day = 0, length = 0; length < gib * 2 ** 30; day++) {
    const start = formatInstant({ ...begin, seconds: begin.seconds + DAY * day });
    const text = simulate({ seed: WARD_BED_7.seed + day, seconds: DAY, start });
    const rows = day === 0 ? text : text.slice(text.indexOf("\n") + 1);
    await handle.write(rows);
    length += rows.length;
  }
  await handle.close();
  const recording = await recordingOf(path, {}, EPOCH);
  const round = await oneRound(ground, recording, "anchored");
  return {
    gib,
    readings: recording.readings,
    perSecond: rate([round], recording),
    peakRssMiB: peakOf([round]),
  };
}

interface Recorded {
  readonly file: string;
  readonly options: IntakeOptions;
  readonly readings: number;
  readonly missing: number;
  /** As NDJSON, in bytes. */
  readonly json: number;
  readonly stream: Omit<StreamDescriptor, "id">;
  readonly window: { readonly dataStart: number; readonly dataEnd: number };
}

/** Six channels at 1 Hz; they are always shared together, so they are one stream. */
async function record(folder: string, size: number): Promise<Recorded> {
  const file = join(folder, `${size}.csv`);
  await writeFile(file, simulate({ ...WARD_BED_7, seconds: Math.ceil(size / CHANNELS / PRESENT) }));
  return recordingOf(file, {}, EPOCH);
}

/** @param length - Of its epochs, in seconds; by default what suits its rate. */
async function recordingOf(file: string, options: IntakeOptions, length?: number): Promise<Recorded> {
  const { streams, readings, missing, from, to } = await survey(await openIntake(file, options));
  const channels = streams.flatMap((stream) => stream.channels);
  const epochLength = length ?? Math.max(...streams.map((stream) => stream.epochLength));
  let json = 0;
  for await (const text of asJson(file, options)) json += text.length + 1;
  return {
    file,
    options,
    readings,
    missing,
    json,
    // An hour of six channels fills most of the third size.
    stream: { name: "bedside monitor", channels, epochLength, batchClass: 2 },
    window: {
      dataStart: Math.floor(from / epochLength) * epochLength,
      dataEnd: Math.ceil(to / epochLength) * epochLength,
    },
  };
}

async function* asJson(file: string, options: IntakeOptions = {}): AsyncGenerator<string> {
  for await (const row of (await openIntake(file, options)).rows()) {
    if (row.kind === "quarantined" || row.observation.value.kind !== "quantity") continue;
    const { channel, time, value } = row.observation;
    yield JSON.stringify({
      code: channel.code.code,
      value: Number(value.decimal),
      unit: channel.unit,
      effective: time,
    });
  }
}

async function sample(folder: string): Promise<string[]> {
  const { file } = await record(folder, PEER_READINGS);
  const readings: string[] = [];
  for await (const text of asJson(file)) readings.push(text);
  return readings.slice(0, PEER_READINGS);
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

/** What a row is to reach, in words, and whether it does. */
function reached(row: IngestRow): { readonly words: string; readonly ok: boolean }[] {
  const share = (rate: number): number => rate / row.bound;
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  return [
    {
      words: `end to end ${percent(share(row.perSecond))} of the bound, at least ${percent(TARGETS.anchored)}`,
      ok: share(row.perSecond) >= TARGETS.anchored,
    },
    {
      words: `up to the sealed bytes ${percent(share(row.sealedPerSecond))} of the bound, at least ${percent(TARGETS.sealed)}`,
      ok: share(row.sealedPerSecond) >= TARGETS.sealed,
    },
    {
      words: `${Math.round(row.perSecond / row.peerLoop).toLocaleString("en")} times the peer-like loop, at least ${TARGETS.peers.toLocaleString("en")}`,
      ok: row.perSecond >= TARGETS.peers * row.peerLoop,
    },
    {
      words: `1/${(row.jsonBytesPerReading / row.bytesPerReading).toFixed(1)} of JSON, at most 1/${TARGETS.json}`,
      ok: row.bytesPerReading * TARGETS.json <= row.jsonBytesPerReading,
    },
    { words: `${row.gasPerReading} gas a reading, at most ${TARGETS.gas}`, ok: row.gasPerReading <= TARGETS.gas },
    { words: `${row.peakRssMiB} MiB at most used, below ${TARGETS.rssMiB}`, ok: row.peakRssMiB < TARGETS.rssMiB },
  ];
}

const width = (name: string): number => Math.max(name.length, 10) + 2;

/** The report as tables for people. */
export function ingestTable({ boundBy, ingest, threads, recordings, file, load }: IngestReport): string {
  const names = ["readings", "perSecond", "sealedPerSecond", "bound", "bytesPerReading", "gasPerReading", "peakRssMiB"];
  const verdicts = ingest
    .filter(({ readings }) => readings >= LARGE)
    .flatMap((row) => reached(row).map(({ words, ok }) => `${ok ? "PASS" : "FAIL"}  ${words}`));
  return [
    ...table(names, ingest),
    "",
    `bound: two SHA-256 of 64 bytes a reading by ${boundBy}`,
    ...verdicts,
    "",
    "with worker threads:",
    ...table(["threads", "perSecond", "sealedPerSecond", "mainMicroseconds", "peakRssMiB"], threads),
    ...(recordings.length === 0
      ? []
      : ["", "recordings of patients, one checkpoint or two each, padding and mail counted:"]),
    ...(recordings.length === 0
      ? []
      : table(["name", "readings", "bytesPerReading", "jsonBytesPerReading"], recordings)),
    ...(file ? ["", `a file of ${file.gib} GiB:`, ...table(["readings", "perSecond", "peakRssMiB"], [file])] : []),
    "",
    `load of the machine: ${load.join(" before, ")} after, on ${availableParallelism()} processors`,
  ].join("\n");
}

const table = (names: readonly string[], rows: readonly object[]): string[] => [
  names.map((name) => name.padStart(width(name))).join(""),
  ...rows.map((row) => names.map((name) => String(cell(row[name as keyof object])).padStart(width(name))).join("")),
];

const cell = (value: unknown): string => (typeof value === "number" ? value.toLocaleString("en") : String(value));
