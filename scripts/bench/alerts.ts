import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { mulberry32 } from "../../examples/simulate.ts";
import { CHANNELS } from "../deep/alert-day.ts";

export interface AlertsReport {
  readonly patients: number;
  readonly channels: number;
  readonly seconds: number;
  readonly readings: number;
  readonly notices: number;
  /** Alerts that the readings call for, and of which nobody was told. */
  readonly missing: number;
  /** Milliseconds from the reading that is written to the monitor's feed until its notice is read. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly limit: number;
  /** Share of the time in which the monitor was not waiting. */
  readonly busy: number;
  readonly pass: boolean;
}

const LIMIT = 100;
const SECONDS = 150;
/** Slices of a second: so many patients send at once. */
const SLICES = 50;
const PATIENTS = 1000;

/** A monitor in a process of its own, fed at 1 Hz a channel; every channel of every patient goes beyond its limit once. */
export async function benchAlerts(patients = PATIENTS, seconds = SECONDS): Promise<AlertsReport> {
  const folder = await mkdtemp(join(tmpdir(), "medseal-bench-"));
  const draw = mulberry32(patients);
  const args = [join(import.meta.dirname, "alert-monitor.ts"), join(folder, "monitor.sqlite"), String(patients)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const sent = new Map<string, number>();
  const delays: number[] = [];
  let busy = 0;
  const ready = new Promise<void>((done) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [first = "", second = ""] = line.split(" ");
      const began = sent.get(line);
      if (first === "ready") done();
      else if (first === "busy") busy = Number(second);
      else if (began !== undefined) delays.push(performance.now() - began);
    });
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  try {
    await Promise.race([ready, ended]);
    const due = Array.from({ length: patients }, () => CHANNELS.map(() => 5 + Math.floor(draw() * (seconds - 10))));
    const started = performance.now();
    let readings = 0;
    for (let slice = 0; slice < seconds * SLICES; slice++) {
      const wait = started + (1000 * slice) / SLICES - performance.now();
      if (wait > 0) await pause(wait);
      const second = Math.floor(slice / SLICES);
      const time = new Date().toISOString();
      let lines = "";
      const marks: string[] = [];
      for (let n = slice % SLICES; n < patients; n += SLICES) {
        for (const [i, { code, unit, usual, episode, digits }] of CHANNELS.entries()) {
          const at = due[n]?.[i] ?? 0;
          const value = second >= at && second < at + 3 ? episode : usual;
          const decimal = digits === 0 ? String(value) : (value / 10).toFixed(1);
          const channel = { code: { system: "http://loinc.org", code }, unit };
          lines += `${JSON.stringify({ patient: `p${n}`, channel, time, value: { kind: "quantity", decimal } })}\n`;
          if (second === at) marks.push(`p${n} limit-${code}`);
          readings += 1;
        }
      }
      const now = performance.now();
      for (const mark of marks) sent.set(mark, now);
      child.stdin.write(lines);
    }
    child.stdin.end();
    await ended;
    delays.sort((a, b) => a - b);
    const at = (share: number): number => Math.round(10 * (delays[Math.floor(share * delays.length)] ?? Infinity)) / 10;
    const missing = sent.size - delays.length;
    const [p99, longest] = [at(0.99), Math.round(10 * (delays.at(-1) ?? Infinity)) / 10];
    return {
      ...{ patients, channels: CHANNELS.length, seconds, readings, notices: delays.length, missing },
      ...{ p50: at(0.5), p99, longest, limit: LIMIT, busy: Math.round(100 * busy) / 100 },
      pass: p99 <= LIMIT && missing === 0,
    };
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

export const alertsTable = (report: AlertsReport): string =>
  [
    `${report.patients.toLocaleString("en")} patients, ${report.channels} channels at 1 Hz, ${report.seconds} s: ${report.readings.toLocaleString("en")} readings, ${report.notices.toLocaleString("en")} notices, ${report.missing} missing`,
    `from reading to notice: median ${report.p50} ms, p99 ${report.p99} ms, longest ${report.longest} ms; limit of p99 ${report.limit} ms`,
    `the monitor was busy ${Math.round(100 * report.busy)} % of the time`,
  ].join("\n");
