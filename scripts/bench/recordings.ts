import { existsSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { simulate, WARD_BED_7 } from "../../examples/simulate.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { survey } from "../../src/intake/survey.ts";
import type { IntakeOptions } from "../../src/intake/types.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { formatInstant, parseInstant, type Instant } from "../../src/observation/instant.ts";

const CHANNELS = 6;
/** Readings that are not marked missing; a little less than in truth. */
const PRESENT = 0.98;
const EPOCH = 3600;
const DAY = 86_400;
const PEER_READINGS = 300;
/** A file, and what is known of it. */
export interface Recorded {
  readonly file: string;
  readonly options: IntakeOptions;
  readonly readings: number;
  readonly missing: number;
  readonly stream: Omit<StreamDescriptor, "id">;
  readonly window: { readonly dataStart: number; readonly dataEnd: number };
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

export async function patientsRecordings(): Promise<{ readonly name: string; readonly recording: Recorded }[]> {
  const folder = process.env["MEDSEAL_DATA"] ?? join(ROOT, "../shared/data");
  const there = REAL.map(([name, path, options]) => ({ name, file: join(folder, path), options }));
  const found = there.filter(({ file }) => existsSync(file));
  return Promise.all(
    found.map(async ({ name, file, options }) => ({ name, recording: await recordingOf(file, options) })),
  );
}

/** Six channels at 1 Hz; they are always shared together, so they are one stream. */
export async function record(folder: string, size: number): Promise<Recorded> {
  const file = join(folder, `${size}.csv`);
  await writeFile(file, simulate({ ...WARD_BED_7, seconds: Math.ceil(size / CHANNELS / PRESENT) }));
  return recordingOf(file, {}, EPOCH);
}

/** @param length - Of its epochs, in seconds; by default what suits its rate. */
async function recordingOf(file: string, options: IntakeOptions, length?: number): Promise<Recorded> {
  const { streams, readings, missing, from, to } = await survey(await openIntake(file, options));
  const channels = streams.flatMap((stream) => stream.channels);
  const epochLength = length ?? Math.max(...streams.map((stream) => stream.epochLength));
  return {
    file,
    options,
    readings,
    missing,
    // An hour of six channels fills most of the third size.
    stream: { name: "bedside monitor", channels, epochLength, batchClass: 2 },
    window: {
      dataStart: Math.floor(from / epochLength) * epochLength,
      dataEnd: Math.ceil(to / epochLength) * epochLength,
    },
  };
}

/** Bytes of its readings as NDJSON. */
export async function jsonBytes({ file, options }: Recorded): Promise<number> {
  let bytes = 0;
  for await (const text of asJson(file, options)) bytes += text.length + 1;
  return bytes;
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

export async function sample(folder: string): Promise<string[]> {
  const { file } = await record(folder, PEER_READINGS);
  const readings: string[] = [];
  for await (const text of asJson(file)) readings.push(text);
  return readings.slice(0, PEER_READINGS);
}

/** Day after day of the bedside monitor, until the file has its size. */
export async function longRecording(folder: string, bytes: number): Promise<Recorded> {
  const path = join(folder, "large.csv");
  const handle = await open(path, "wx");
  const begin = parseInstant(WARD_BED_7.start) as Instant;
  for (let day = 0, length = 0; length < bytes; day++) {
    const start = formatInstant({ ...begin, seconds: begin.seconds + DAY * day });
    const text = simulate({ seed: WARD_BED_7.seed + day, seconds: DAY, start });
    const rows = day === 0 ? text : text.slice(text.indexOf("\n") + 1);
    await handle.write(rows);
    length += rows.length;
  }
  await handle.close();
  return recordingOf(path, {}, EPOCH);
}
