import { verifyWindow } from "../../src/auditor/window.ts";
import { ENDED, type AlertEvent } from "../../src/alerts/alert.ts";
import { EXIT, MedSealError } from "../../src/errors.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { isSigned } from "../../src/monitor/audit-answers.ts";
import { ALERTS_CHANNEL, entryFromObservation } from "../../src/monitor/entry.ts";
import { livesOf, type Placed } from "../../src/monitor/life.ts";
import { alertName, type CarePlan } from "../../src/monitor/plan.ts";
import { SILENCES, type Silence } from "../../src/monitor/truth.ts";
import { channelKey } from "../../src/observation/observation.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { measure } from "../../src/alerts/measure.ts";
import type { AlertRecord } from "../../src/report/alert-line.ts";
import { joined, split, type Span } from "../../src/report/span.ts";
import { plansIn } from "./alerts.ts";
import type { OpenWindow, Reader } from "./reader.ts";

export const isAlerts = ({ channels }: StreamDescriptor): boolean =>
  channels.some((channel) => channelKey(channel) === channelKey(ALERTS_CHANNEL));

/**
 * What monitors wrote of a patient's alerts, as far as the viewer may read it.
 *
 * @returns undefined when no such stream was released for this time.
 */
export async function alertRecordOf(
  reader: Reader,
  window: { from: string | undefined; to: string | undefined; patient: string },
): Promise<AlertRecord | undefined> {
  const streams = new Map(reader.streams.filter(isAlerts).map((stream) => [stream.name, stream]));
  const records: AlertRecord[] = [];
  for (const stream of streams.values()) {
    const open = await reader.open(stream, window).catch((error: unknown) => {
      // The viewer may be let read the readings of a time and not its alerts.
      if (!(error instanceof MedSealError) || error.exit === EXIT.unavailable) throw error;
      return undefined;
    });
    if (open?.access.keys.some((keys) => keys.stream.name === stream.name && keys.data !== undefined))
      records.push(await recordOf(open));
  }
  const [first, ...more] = records;
  return first && more.reduce(together, first);
}

const together = (one: AlertRecord, other: AlertRecord): AlertRecord => ({
  events: [...one.events, ...other.events].sort((a, b) => a.at - b.at),
  unevaluated: joined([...one.unevaluated, ...other.unevaluated]),
  silences: [...one.silences, ...other.silences],
  findings: [...one.findings, ...other.findings],
});

async function recordOf(window: OpenWindow): Promise<AlertRecord> {
  const { access, request, deps, wish } = window;
  const placed: Placed[] = [];
  const { findings } = await verifyWindow(access, request, deps, ({ chunks = [], found }) => {
    const object = cidOf(found.entry.header);
    for (const observation of chunks.flatMap(({ observations }) => observations))
      placed.push({ entry: entryFromObservation(observation), object });
  });
  const said: { kind: string; text: string }[] = findings.map(({ kind, text }) => ({ kind, text }));
  const unverified = joined(findings.flatMap(({ span }) => span ?? []));
  const shown = { from: wish.from, to: Math.min(wish.to, deps.time) };
  const [events, unevaluated, silences]: [AlertEvent[], Span[], AlertRecord["silences"][number][]] = [[], [], []];
  const plans = plansIn(window, placed);
  for (const { plan, entries } of plans) {
    const nameOf = (alert: string): string => (plans.length > 1 ? alertName(plan, alert) : alert);
    for (const life of livesOf(entries)) {
      for (const step of life.steps) {
        const { event } = step;
        events.push({ ...event, alert: nameOf(event.alert) });
        if (!("by" in event) || event.by === ENDED || isSigned(plan, life, step)) continue;
        const text = `${life.rule}: said to be ${event.kind} by ${event.by}, who has not signed that`;
        said.push({ kind: "forged", text });
      }
    }
    const begun = entries.find(({ entry }) => entry.kind === "plan")?.entry.at ?? 1000 * shown.from;
    const ended = entries.find(({ entry }) => entry.kind === "ended")?.entry.at ?? Infinity;
    const period = plan.period / 1000;
    const to = Math.min(shown.to, Math.floor(ended / plan.period) * period);
    const watched = { from: Math.max(shown.from, begun / 1000), to };
    for (const { rule } of plan.watches) {
      const stated = joined(statedOf(entries, rule.name).map(({ from, to }) => ({ from: from / 1000, to: to / 1000 })));
      if (watched.from < watched.to) unevaluated.push(...split(watched, stated).outside);
      silences.push(...silencesOf(plan, entries, rule.name));
    }
  }
  if (plans.length === 0) unevaluated.push(shown);
  return {
    events: events.sort((a, b) => a.at - b.at),
    unevaluated: joined([...unevaluated, ...unverified]),
    silences,
    findings: said,
  };
}

const statedOf = (entries: readonly Placed[], rule: string) =>
  entries.flatMap(({ entry }) => (entry.kind === "stated" && entry.statement.rule === rule ? [entry.statement] : []));

/** By the ends of its statements: to a period, what a rule had nothing to judge for. */
function silencesOf(
  { watches }: CarePlan,
  entries: readonly Placed[],
  name: string,
): AlertRecord["silences"][number][] {
  const rule = watches.find((watch) => watch.rule.name === name)?.rule;
  const spans = new Map<Silence, Span[]>();
  for (const { from, to, state } of statedOf(entries, name)) {
    const why = rule && SILENCES.find((one) => one === measure(rule, state).status);
    if (why) spans.set(why, [...(spans.get(why) ?? []), { from: from / 1000, to: to / 1000 }]);
  }
  return [...spans].flatMap(([why, all]) => joined(all).map((span) => ({ rule: name, why, ...span })));
}
