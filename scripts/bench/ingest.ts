import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulate, WARD_BED_7 } from "../../examples/simulate.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { survey } from "../../src/intake/survey.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
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

export interface IngestReport {
  /** What measured the bound. */
  readonly boundBy: string;
  readonly ingest: readonly IngestRow[];
  /** Whether every recording that is large enough for the targets reached them all. */
  readonly pass: boolean;
}

export interface IngestSettings {
  /** Readings of the recordings, about and at least. */
  readonly sizes: readonly number[];
  readonly rounds: number;
}

export const INGEST: IngestSettings = { sizes: [1_000, 10_000, 100_000, 1_000_000], rounds: 5 };
/** Targets are set for recordings of this many readings. */
const LARGE = 1_000_000;
const TARGETS = { anchored: 0.4, sealed: 0.6, peers: 5_000, json: 60, gas: 3, rssMiB: 300 };

/** Options of node for a gateway of little memory: without them the collector lets garbage lie as long as the machine has room. */
const SPARING = ["--max-semi-space-size=16", "--heap-growing-percent=30"];

const CHANNELS = 6;
/** Readings that are not marked missing; a little less than in truth. */
const PRESENT = 0.98;
const EPOCH = 3600;
const PEER_READINGS = 300;

/** Medians over the rounds, each in a process and a gateway of its own. */
export async function benchIngest({ sizes, rounds }: IngestSettings = INGEST): Promise<IngestReport> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const ground = await openGround();
  try {
    const peers = await peerLoop(ground.world, await sample(folder));
    const ingest: IngestRow[] = [];
    let boundBy = "";
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
        perSecond: Math.round(readings / median(anchored.map(({ seconds }) => seconds))),
        sealedPerSecond: Math.round(readings / median(sealed.map(({ seconds }) => seconds))),
        bound: Math.round(median([...anchored, ...sealed].flatMap(({ bound }) => bound))),
        peerLoop: rounded(peers),
        bytesPerReading: rounded(median(anchored.map(({ bytes }) => bytes)) / readings),
        jsonBytesPerReading: rounded(recording.json / readings),
        gasPerReading: rounded(hourly.gas / readings),
        peakRssMiB: Math.round(Math.max(...anchored.map(({ peakRssMiB }) => peakRssMiB))),
      });
    }
    return { boundBy, ingest, pass: ingest.every((row) => row.readings < LARGE || reached(row).every(({ ok }) => ok)) };
  } finally {
    await ground.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Recorded {
  readonly file: string;
  readonly readings: number;
  /** As NDJSON, in bytes. */
  readonly json: number;
  readonly stream: Omit<StreamDescriptor, "id">;
  readonly window: { readonly dataStart: number; readonly dataEnd: number };
}

/** Six channels at 1 Hz; they are always shared together, so they are one stream. */
async function record(folder: string, size: number): Promise<Recorded> {
  const file = join(folder, `${size}.csv`);
  await writeFile(file, simulate({ ...WARD_BED_7, seconds: Math.ceil(size / CHANNELS / PRESENT) }));
  const { streams, readings, from, to } = await survey(await openIntake(file));
  const channels = streams.flatMap((stream) => stream.channels);
  let json = 0;
  for await (const text of asJson(file)) json += text.length + 1;
  return {
    file,
    readings,
    json,
    // An hour of them fills most of the third size.
    stream: { name: "bedside monitor", channels, epochLength: EPOCH, batchClass: 2 },
    window: { dataStart: Math.floor(from / EPOCH) * EPOCH, dataEnd: Math.ceil(to / EPOCH) * EPOCH },
  };
}

async function* asJson(file: string): AsyncGenerator<string> {
  for await (const row of (await openIntake(file)).rows()) {
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

async function oneRound(ground: Ground, recording: Recorded, mode: Mode): Promise<Round> {
  const posting = await ground.post(recording.stream, recording.window);
  const file = fileURLToPath(new URL("ingest-process.ts", import.meta.url));
  const child = fork(file, { serialization: "advanced", execArgv: SPARING });
  const ended = once(child, "exit");
  const answer = once(child, "message") as Promise<[Round]>;
  child.send({ mode, file: recording.file, posting });
  const [round] = await Promise.race([
    answer,
    ended.then(([code]) => Promise.reject(new Error(`the ingesting process ended with ${code}`))),
  ]);
  await ended;
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

/** The report as a table for people. */
export function ingestTable({ boundBy, ingest }: IngestReport): string {
  const names = ["readings", "perSecond", "sealedPerSecond", "bound", "bytesPerReading", "gasPerReading", "peakRssMiB"];
  const lines = ingest.map((row) =>
    names.map((name) => row[name as keyof IngestRow].toLocaleString("en").padStart(width(name))).join(""),
  );
  const verdicts = ingest
    .filter(({ readings }) => readings >= LARGE)
    .flatMap((row) => reached(row).map(({ words, ok }) => `${ok ? "PASS" : "FAIL"}  ${words}`));
  return [
    names.map((name) => name.padStart(width(name))).join(""),
    ...lines,
    "",
    `bound: two SHA-256 of 64 bytes a reading by ${boundBy}`,
    ...verdicts,
  ].join("\n");
}
