import { ConfigError } from "./errors.ts";
import { parseListen, type Listen } from "./listen.ts";

/** One that may feed the gateway: a monitor, a bedside computer, an integration engine. */
export interface Source {
  readonly name: string;
  /** `sha256:` and the hash of its credential; the credential itself is the source's own. */
  readonly credential: string;
  readonly devices: readonly Device[];
}

export interface Device {
  readonly name: string;
  /** Id of the WRITE consent its readings go under; needed where several patients have the same channels. */
  readonly write?: string;
}

/** A monitor beside the gateway, which gets what was stored. */
export interface MonitorPlace {
  readonly at: Listen;
  /** File of the credential that it is shown. */
  readonly credential: string;
  /** Seconds for which readings are kept for it after they were sealed. */
  readonly keep: number;
}

export interface GatewayConfig {
  readonly feed: Listen;
  readonly http: Extract<Listen, { port: number }>;
  /** Folder into which leases, signed ends and mail are put. */
  readonly spool: string;
  /** Seconds between two seals, and between two checkpoints. */
  readonly seal: number;
  readonly anchor: number;
  /** Entries of a checkpoint, by the time from which they count; ascending. */
  readonly entries: readonly { readonly from: number; readonly count: number }[];
  /** Seconds that a device's clock may differ before it is flagged. */
  readonly skew: number;
  /** Seconds after its end at which an epoch is said to be complete. */
  readonly grace: number;
  /** Seconds after its end for which the keys of an epoch are kept; what comes later goes to the late box. */
  readonly lateness: number;
  /** Bytes that must be free on the disk for readings to be taken. */
  readonly reserve: number;
  /** Most wei that a unit of gas may cost. */
  readonly maxFee: bigint;
  /** What the chain says counts by proofs of its state only. */
  readonly attest: boolean;
  readonly sources: readonly Source[];
  readonly monitor: MonitorPlace | undefined;
}

const FORMAT = "medseal-gateway/1";
const MIB = 1 << 20;
const KEEP = 3600;
const GWEI = 1_000_000_000n;

/**
 * Reads a gateway's configuration; see docs/gateway.md, "Configuration".
 *
 * @throws ConfigError that names the member.
 */
export function parseConfig(text: string): GatewayConfig {
  const all = objectAt(parsed(text), "the whole", [
    "format",
    "feed",
    "http",
    "spool",
    "cadence",
    "trial",
    "entries",
    "skew",
    "grace",
    "lateness",
    "reserveMiB",
    "maxFeeGwei",
    "attest",
    "sources",
    "monitor",
  ]);
  if (all["format"] !== FORMAT) throw new ConfigError("format", `${FORMAT} is expected`);
  const trial = all["trial"] === true;
  const cadence = objectAt(all["cadence"], "cadence", ["seal", "anchor"]);
  const least = trial ? 1 : 60;
  const http = listenAt(all["http"], "http");
  if (!("port" in http)) throw new ConfigError("http", "an address and port of this machine is expected");
  const lateness = durationAt(all["lateness"] ?? "72h", "lateness", trial ? 1 : 3600, 30 * 86_400);
  const config = {
    feed: listenAt(all["feed"], "feed"),
    http,
    spool: textAt(all["spool"], "spool"),
    seal: durationAt(cadence["seal"], "cadence.seal", least, 3600),
    anchor: durationAt(cadence["anchor"], "cadence.anchor", least, 3600),
    entries: entriesAt(all["entries"] ?? 64),
    skew: durationAt(all["skew"] ?? "5min", "skew", 1, 86_400),
    grace: durationAt(all["grace"] ?? "1min", "grace", 0, 86_400),
    lateness,
    reserve: integerAt(all["reserveMiB"] ?? 256, "reserveMiB", 0, 1_000_000) * MIB,
    maxFee: BigInt(integerAt(all["maxFeeGwei"] ?? 500, "maxFeeGwei", 1, 1_000_000)) * GWEI,
    attest: booleanAt(all["attest"] ?? false, "attest"),
    sources: listAt(all["sources"], "sources").map(sourceAt),
    monitor: all["monitor"] === undefined ? undefined : monitorAt(all["monitor"], least, lateness),
  };
  if (config.seal > config.anchor)
    throw new ConfigError("cadence", "sealing less often than anchoring anchors nothing");
  once(
    config.sources.map(({ name }) => name),
    "sources",
    "source",
  );
  once(
    config.sources.map(({ credential }) => credential),
    "sources",
    "credential",
  );
  once(
    config.sources.flatMap(({ devices }) => devices.map(({ name }) => name)),
    "sources",
    "device",
  );
  return config;
}

/** Entries of a checkpoint made at this time, in unix seconds. */
export const entriesAtTime = ({ entries }: GatewayConfig, time: number): number =>
  entries.findLast(({ from }) => from <= time)?.count ?? 64;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ConfigError("the whole", "not JSON");
  }
}

function sourceAt(value: unknown, i: number): Source {
  const at = `sources[${i}]`;
  const source = objectAt(value, at, ["name", "credential", "devices"]);
  const credential = textAt(source["credential"], `${at}.credential`);
  if (!/^sha256:[0-9a-f]{64}$/.test(credential))
    throw new ConfigError(`${at}.credential`, "sha256: and 64 hexadecimal digits are expected");
  const devices = listAt(source["devices"], `${at}.devices`).map((device, k): Device => {
    if (typeof device === "string") return { name: nameAt(device, `${at}.devices[${k}]`) };
    const { name, write } = objectAt(device, `${at}.devices[${k}]`, ["name", "write"]);
    const id = textAt(write, `${at}.devices[${k}].write`);
    if (!/^0x[0-9a-f]{64}$/.test(id))
      throw new ConfigError(`${at}.devices[${k}].write`, "the id of a consent is expected");
    return { name: nameAt(name, `${at}.devices[${k}].name`), write: id };
  });
  return { name: nameAt(source["name"], `${at}.name`), credential, devices };
}

function entriesAt(value: unknown): GatewayConfig["entries"] {
  if (typeof value === "number") return [{ from: 0, count: integerAt(value, "entries", 8, 4096) }];
  const steps = listAt(value, "entries").map((step, i) => {
    const { from, count } = objectAt(step, `entries[${i}]`, ["from", "count"]);
    const time = Date.parse(`${textAt(from, `entries[${i}].from`)}T00:00:00Z`) / 1000;
    if (!Number.isInteger(time)) throw new ConfigError(`entries[${i}].from`, "a day is expected, 2026-12-01");
    return { from: time, count: integerAt(count, `entries[${i}].count`, 8, 4096) };
  });
  const rises = steps.every(
    ({ from, count }, i) => i === 0 || (from > steps[i - 1]!.from && count > steps[i - 1]!.count),
  );
  if (!rises)
    throw new ConfigError("entries", "days and counts must rise: fewer entries would show that less is recorded");
  return steps;
}

/** @param most - Seconds: nothing is kept for it that the gateway forgets the keys of. */
function monitorAt(value: unknown, least: number, most: number): MonitorPlace {
  const { address, credential, keep } = objectAt(value, "monitor", ["address", "credential", "keep"]);
  return {
    at: listenAt(address, "monitor.address"),
    credential: textAt(credential, "monitor.credential"),
    keep: durationAt(keep ?? lengthOf(Math.min(KEEP, most)), "monitor.keep", least, most),
  };
}

function listenAt(value: unknown, at: string): Listen {
  const found = parseListen(textAt(value, at));
  if (!found) throw new ConfigError(at, "an address of this machine is expected: 127.0.0.1, ::1 or a Unix socket");
  return found;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 };

function durationAt(value: unknown, at: string, least: number, most: number): number {
  const [, count, unit] = /^(\d{1,6})(s|min|h|d)$/.exec(textAt(value, at)) ?? [];
  const seconds = Number(count) * (UNITS[unit ?? ""] ?? NaN);
  if (Number.isNaN(seconds)) throw new ConfigError(at, "a length of time is expected, 10min");
  if (seconds < least || seconds > most)
    throw new ConfigError(at, `a length of time from ${lengthOf(least)} to ${lengthOf(most)} is expected`);
  return seconds;
}

/** Seconds as they are written, in the largest unit that leaves no rest. */
function lengthOf(seconds: number): string {
  const [unit, length] = Object.entries(UNITS).findLast(([, one]) => seconds > 0 && seconds % one === 0) ?? ["s", 1];
  return `${seconds / length}${unit}`;
}

function integerAt(value: unknown, at: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw new ConfigError(at, `a whole number from ${least} to ${most} is expected`);
  return value;
}

function booleanAt(value: unknown, at: string): boolean {
  if (typeof value !== "boolean") throw new ConfigError(at, "true or false is expected");
  return value;
}

function textAt(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "") throw new ConfigError(at, "a text is expected");
  return value;
}

/** Names stand in logs and metrics: no patient's. */
function nameAt(value: unknown, at: string): string {
  const name = textAt(value, at);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new ConfigError(at, "a name of letters, digits, points and hyphens is expected");
  return name;
}

function listAt(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new ConfigError(at, "a list is expected");
  return value as readonly unknown[];
}

function objectAt(value: unknown, at: string, names: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigError(at, "an object is expected");
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ConfigError(at, `there is no member ${JSON.stringify(unknown.slice(0, 40))}`);
  return value as Record<string, unknown>;
}

function once(names: readonly string[], at: string, what: string): void {
  if (new Set(names).size !== names.length) throw new ConfigError(at, `a ${what} stands twice`);
}
