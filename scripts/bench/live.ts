import { execFileSync } from "node:child_process";
import { openLiveWard, type LiveWard } from "../../test/cli/live-ward.ts";
import type { RunningGateway } from "../../test/cli/running.ts";
import { World } from "../../test/cli/world.ts";
import { FsyncFloor } from "./fsync-floor.ts";
import { measureSwitches, prepareEnds } from "./live-switch.ts";
import { streamLoad, type Answered } from "./live-load.ts";
import { machineWords, watchMachine, type Machine } from "./machine.ts";

/** Milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface LiveReport {
  readonly readingsPerSecond: number;
  readonly seconds: number;
  /** Cores of the gateway's process. */
  readonly cores: number;
  /** From a message's way to the feed's socket to its `stored`. */
  readonly stored: Spread;
  /** A write of 8 KiB with its fdatasync on the same disk, in the same time. */
  readonly fsync: Spread;
  /** Of the time, in commits of the journal and its twin; and messages of a commit. */
  readonly commits: { readonly share: number; readonly milliseconds: number; readonly messages: number };
  /** Sealed, and anchored, while it was measured. */
  readonly batches: number;
  readonly checkpoints: number;
  readonly machine: Machine;
  /** From the end of a consent, signed or mined, until the gateway has left the generation; under the same load. */
  readonly switched: { readonly signed: Spread; readonly mined: Spread; readonly ends: number };
  readonly limits: { readonly stored: number; readonly switched: number };
  readonly pass: boolean;
}

const READINGS = 5000;
/** Milliseconds, of p99. */
const LIMITS = { stored: 20, switched: 2000 };
/** Seconds from one end of a consent to the next while readings come. */
const APART = 2.5;
const CORES = 2;
const SECONDS = 60;
const WARM_UP = 5;
/** Devices at one gateway, each with a connection of its own. */
const DEVICES = Array.from({ length: 10 }, (_, i) => `monitor-${i}`);
const STREAMS: LiveWard["streams"] = [
  ["heart-rate", "8867-4", "/min"],
  ["oxygen", "59408-5", "%"],
  ["respiration", "9279-1", "/min"],
  ["systolic", "8480-6", "mm[Hg]"],
  ["diastolic", "8462-4", "mm[Hg]"],
];

/** The real gateway under load, with chain, store and sources in processes of their own. */
export async function benchLive(readings = READINGS, seconds = SECONDS): Promise<LiveReport> {
  const world = await World.open(true);
  let gateway: RunningGateway | undefined;
  try {
    const way = { source: `ward:${DEVICES.join(",")}`, before: onTwoCores(), seal: "10s", anchor: "20s" };
    gateway = await openLiveWard(world, { ...way, streams: STREAMS, hours: [1, 3] });
    const ends = await prepareEnds(world, gateway, Math.max(6, Math.floor(seconds / APART)));
    const load = {
      port: gateway.feedPort,
      credential: await gateway.credential("ward"),
      devices: DEVICES,
      channels: STREAMS.map(([, code, unit]) => [code, unit] as const),
      messagesPerSecond: Math.round(readings / STREAMS.length),
    };
    await streamLoad({ ...load, seconds: WARM_UP });
    const floor = new FsyncFloor(world.folder);
    const [machine, before] = [watchMachine(), await numbersOf(gateway)];
    const [answered, switches] = await Promise.all([
      streamLoad({ ...load, seconds }),
      measureSwitches(world, gateway, ends, 1000 * APART),
    ]);
    const [watched, after] = [machine(), await numbersOf(gateway)];
    const fsync = spread(await floor.stop());
    const made = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    const commits = made("medseal_journal_commits_total");
    const busy = made("medseal_journal_commit_seconds_total");
    const stored = storedSpread(answered);
    const switched = { signed: spread(switches.signed), mined: spread(switches.mined), ends: ends.length };
    const slowest = Math.max(switched.signed.p99, switched.mined.p99);
    return {
      readingsPerSecond: readings,
      seconds,
      cores: CORES,
      stored,
      fsync,
      commits: {
        share: rounded(busy / seconds),
        milliseconds: rounded((1000 * busy) / commits),
        messages: rounded(answered.milliseconds.length / commits),
      },
      batches: made("medseal_batches_sealed_total"),
      checkpoints: made("medseal_checkpoints_decided"),
      machine: watched,
      switched,
      limits: LIMITS,
      pass: stored.p99 <= LIMITS.stored && slowest <= LIMITS.switched,
    };
  } finally {
    await gateway?.stop();
    await world.close();
  }
}

function storedSpread({ milliseconds, other }: Answered): Spread {
  if (other > 0) throw new Error(`${other} messages were not stored`);
  return spread(milliseconds);
}

/** The command that keeps a process on two cores, where there is one. */
function onTwoCores(): string[] {
  try {
    execFileSync("taskset", ["-c", "0,1", "true"], { stdio: "ignore" });
    return ["taskset", "-c", "0,1"];
  } catch {
    console.error("there is no taskset here: the gateway may use all cores");
    return [];
  }
}

/** Numbers without labels of a gateway's `/metrics`. */
async function numbersOf(gateway: RunningGateway): Promise<Map<string, number>> {
  const lines = (await gateway.page("/metrics")).split("\n").filter((line) => /^\w+ /.test(line));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(" ")), Number(line.slice(line.indexOf(" ") + 1))]));
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

const words = ({ p50, p99, max }: Spread): string => `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;

export function liveTable(report: LiveReport): string {
  const { stored, fsync, commits, machine, batches, checkpoints, switched, limits } = report;
  const verdict = (p99: number, limit: number, what: string): string =>
    `${p99 <= limit ? "PASS" : "FAIL"}  p99 ${what} ${p99} ms, at most ${limit} ms`;
  return [
    `${report.readingsPerSecond.toLocaleString("en")} readings a second for ${report.seconds} s, gateway on ${report.cores} cores; ${batches} batches sealed, ${checkpoints} checkpoints`,
    `to stored   ${words(stored)}`,
    `fdatasync   ${words(fsync)}, alone on the same disk in the same time`,
    `commits     ${commits.milliseconds} ms each with the twin, ${commits.messages} messages each, ${Math.round(100 * commits.share)} % of the time`,
    `machine     ${machineWords(machine)}`,
    `switch      ${words(switched.signed)} from a signed end in the spool`,
    `            ${words(switched.mined)} from the block that has it; ${switched.ends} ends in all`,
    verdict(stored.p99, limits.stored, "to stored"),
    verdict(switched.signed.p99, limits.switched, "from the signature to the switch"),
    verdict(switched.mined.p99, limits.switched, "from the block to the switch"),
  ].join("\n");
}
