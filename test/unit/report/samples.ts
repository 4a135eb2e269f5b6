import type { AlertRecord } from "../../../src/report/alert-line.ts";
import type { AlertEvent } from "../../../src/alerts/alert.ts";
import type { Audited } from "../../../src/auditor/audited.ts";
import type { Finding } from "../../../src/auditor/findings.ts";
import { sha256 } from "../../../src/bytes/hash.ts";
import type { Hex } from "../../../src/consent/consent.ts";
import { cidOf } from "../../../src/ipfs/cid.ts";
import type { Channel, Observation, Value } from "../../../src/observation/observation.ts";
import type { ReadingsReport, StreamSection } from "../../../src/report/readings.ts";
import { seriesOf } from "../../../src/report/series.ts";
import type { Span } from "../../../src/report/span.ts";
import { sample } from "../consent/samples.ts";

/** 2026-03-01T08:00:00Z */
export const START = 1_772_352_000;
export const EPOCH = 60;

export const HEART_RATE: Channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
export const OXYGEN: Channel = { code: { system: "http://loinc.org", code: "59408-5" }, unit: "%" };

export const digestOf = (name: string): Uint8Array => sha256(new TextEncoder().encode(name));

export const at = (channel: Channel, second: number, value: Value | string): Observation => ({
  channel,
  time: new Date((START + second) * 1000).toISOString(),
  status: "final",
  value: typeof value === "string" ? { kind: "quantity", decimal: value, comparator: "" } : value,
});

export const epochs = (from: number, to: number): Span[] =>
  Array.from({ length: to - from }, (_, i) => ({
    from: START + (from + i) * EPOCH,
    to: START + (from + i + 1) * EPOCH,
  }));

export const finding = (kind: Finding["kind"], checkpoint: number, epoch?: number): Finding => {
  const cid = cidOf(digestOf(`${kind} ${checkpoint}`));
  const object = kind.startsWith("header") || kind.startsWith("epoch") ? "header" : "batch";
  const text = `${object} ${cid} of checkpoint ${checkpoint} is ${kind}`;
  const span = epoch === undefined ? undefined : epochs(epoch, epoch + 1)[0];
  return { kind, object, cid, checkpoint, text, ...(span ? { span } : {}) };
};

/** A quarter of an hour: a time without readings, one without a record, one that is not verified, and values marked missing. */
export function section(name: string, channel: Channel, level: number, findings: readonly Finding[]): StreamSection {
  const seconds = Array.from({ length: 15 * 60 }, (_, i) => i).filter(
    (i) => !(i >= 185 && i < 260) && !(i >= 420 && i < 540),
  );
  const observations = seconds.map((i) => {
    const swing = Math.sin(i / 40) * 6 + Math.sin(i / 7) * 2 + (i > 600 && i < 660 ? 25 : 0);
    return i % 150 === 20
      ? at(channel, i, { kind: "missing", reason: "not-a-number", source: "NaN" })
      : at(channel, i, (level + swing).toFixed(1));
  });
  const covered = [...epochs(0, 7), ...epochs(9, 15)];
  const window = { from: START, to: START + 3600 };
  const unverified = findings.flatMap(({ span }) => span ?? []);
  const recorded = { window, now: START + 86_400, epochLength: EPOCH, covered, unverified };
  return {
    name,
    consent: sample({ dataStart: window.from, dataEnd: window.to }),
    gateways: ["Ward gateway"],
    window,
    covered,
    series: [seriesOf(channel, observations, recorded)],
    findings,
    unfinished: false,
  };
}

const EVENTS: readonly AlertEvent[] = [
  { kind: "opened", alert: `heart-rate-high/${(START + 600) * 1000}`, at: (START + 602) * 1000 },
  { kind: "notified", alert: `heart-rate-high/${(START + 600) * 1000}`, at: (START + 602) * 1000, to: "Nurse Kim" },
  {
    kind: "escalated",
    alert: `heart-rate-high/${(START + 600) * 1000}`,
    at: (START + 662) * 1000,
    to: "Dr Lee",
    worse: { from: 2, to: 4 },
  },
  { kind: "cleared", alert: `heart-rate-high/${(START + 600) * 1000}`, at: (START + 670) * 1000 },
  { kind: "acknowledged", alert: `heart-rate-high/${(START + 600) * 1000}`, at: (START + 700) * 1000, by: "Dr Lee" },
  {
    kind: "resolved",
    alert: `heart-rate-high/${(START + 600) * 1000}`,
    at: (START + 700) * 1000,
    by: "the end of its condition",
  },
  { kind: "opened", alert: `oxygen-silent/${(START + 440) * 1000}`, at: (START + 440) * 1000 },
  { kind: "notified", alert: `oxygen-silent/${(START + 440) * 1000}`, at: (START + 441) * 1000, to: "Nurse Kim" },
];

export const alertRecord = (change: Partial<AlertRecord> = {}): AlertRecord => ({
  events: EVENTS,
  unevaluated: [],
  silences: [],
  findings: [],
  ...change,
});

export const ALERTS = alertRecord({
  unevaluated: [{ from: START + 120, to: START + 300 }],
  silences: [
    { rule: "oxygen-silent", why: "noData", from: START + 420, to: START + 500 },
    { rule: "oxygen-silent", why: "announcedOffline", from: START + 500, to: START + 660 },
    { rule: "oxygen-silent", why: "deviceRetired", from: START + 660, to: START + 800 },
    { rule: "heart-rate-high", why: "consentPaused", from: START + 720, to: START + 900 },
  ],
});

export const report = (change: Partial<ReadingsReport> = {}): ReadingsReport => ({
  patient: "Ann",
  viewer: "Dr Lee",
  made: START + 86_400,
  zone: "Europe/Berlin",
  place: { chainId: 7331, recordAnchor: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512" },
  streams: [
    section("heart-rate", HEART_RATE, 78, [finding("altered", 2, 12), finding("header-missing", 1, 6)]),
    section("oxygen", OXYGEN, 96, []),
  ],
  alerts: ALERTS,
  ...change,
});

export const GATEWAY: Hex = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

export const checkpoints = (count: number): Audited["rested"] => [
  {
    gateway: GATEWAY,
    checkpoints: Array.from({ length: count }, (_, index) => ({
      root: digestOf(`root ${index}`),
      digest: digestOf(`checkpoint ${index}`),
      size: 64,
      index,
      head: digestOf(`head ${index}`),
      block: 100 + 7 * index,
      time: START + 900 * index,
      transaction: `0x${Buffer.from(digestOf(`transaction ${index}`)).toString("hex")}`,
    })),
  },
];

const done = {
  by: "The auditor",
  at: START + 86_400,
  chainId: 7331,
  recordAnchor: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
};

export const archiveAudit = (findings: readonly Finding[] = []): Audited => ({
  ...done,
  kind: "archive",
  gateway: GATEWAY,
  rested: checkpoints(12),
  report: { ok: findings.length === 0, checkpoints: 12, objects: 1740, erased: 4, findings },
});

export const windowAudit = (
  findings: readonly Finding[] = [],
  stream = "heart-rate",
  patient = "Ann",
): Extract<Audited, { kind: "window" }> => ({
  ...done,
  kind: "window",
  stream,
  patient,
  consent: sample(),
  window: { from: START, to: START + 3600 },
  depth: "read",
  rested: checkpoints(3),
  report: {
    ok: findings.length === 0,
    headers: 60,
    batches: 59,
    readings: 3540,
    late: 0,
    unfinished: 0,
    erased: 0,
    findings,
  },
});

export const FINDINGS: readonly Finding[] = [
  finding("epoch-open", 0, 3),
  finding("missing", 2),
  finding("anchored-late", 3, 5),
  finding("altered", 5, 7),
  finding("header-missing", 5, 9),
  finding("swapped", 9),
];

/** What a hostile name holds: markup, script, entities, quotes, an own direction of writing, a NUL. */
export const HOSTILE = `</title><script>fetch("https://evil.example")</script><img src=x onerror='alert(1)'>&lt;"' \u202Egpj.exe\u0000`;
