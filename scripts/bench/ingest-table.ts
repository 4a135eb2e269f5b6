import type { IngestReport, IngestRow } from "./ingest.ts";
import { machineWords } from "./machine.ts";

/** Targets are set for recordings of this many readings. */
export const LARGE = 1_000_000;
export const TARGETS = { anchored: 0.4, sealed: 0.6, peers: 5_000, json: 60, gas: 3, rssMiB: 300 };

/** What a row is to reach, in words, and whether it does. */
export function reached(row: IngestRow): { readonly words: string; readonly ok: boolean }[] {
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
export function ingestTable({ boundBy, ingest, threads, recordings, file, machine }: IngestReport): string {
  const names = ["readings", "perSecond", "sealedPerSecond", "bound", "bytesPerReading", "gasPerReading", "peakRssMiB"];
  const verdicts = ingest
    .filter(({ readings }) => readings >= LARGE)
    .flatMap((row) => reached(row).map(({ words, ok }) => `${ok ? "PASS" : "FAIL"}  ${words}`));
  return [
    ...table(names, ingest),
    "",
    `bound: two SHA-256 of 64 bytes a reading by ${boundBy}`,
    ...(verdicts.length === 0
      ? []
      : [`judged without worker threads, from ${LARGE.toLocaleString("en")} readings on:`]),
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
    machineWords(machine),
  ].join("\n");
}

const table = (names: readonly string[], rows: readonly object[]): string[] => [
  names.map((name) => name.padStart(width(name))).join(""),
  ...rows.map((row) => names.map((name) => String(cell(row[name as keyof object])).padStart(width(name))).join("")),
];

const cell = (value: unknown): string => (typeof value === "number" ? value.toLocaleString("en") : String(value));
