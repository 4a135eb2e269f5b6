import type { AlertEvent } from "../alerts/alert.ts";
import type { SignedAnswer } from "./answer.ts";
import type { Entry } from "./entry.ts";

/** An entry, and the sealed object that it was read from. */
export interface Placed {
  readonly entry: Entry;
  /** CID of the header of its batch. */
  readonly object: string;
}

/** One step in the life of an alert, as the stream has it. */
export interface Step {
  readonly n: number;
  /** When it was written, in milliseconds: that of the event, by an honest monitor. */
  readonly at: number;
  readonly event: Extract<AlertEvent, { alert: string }>;
  readonly level: number;
  readonly answer: SignedAnswer | undefined;
  readonly object: string;
}

/** All that the stream says of one alert. */
export interface Life {
  readonly id: string;
  readonly rule: string;
  readonly raisedAt: number;
  /** In the order in which they were written. */
  readonly steps: readonly Step[];
}

/** The alerts of a stream, in the order in which they first appear. */
export function livesOf(placed: readonly Placed[]): Life[] {
  const lives = new Map<string, Life & { readonly steps: Step[] }>();
  for (const { entry, object } of placed) {
    if (entry.kind !== "event" || !("alert" in entry.event)) continue;
    const { n, at, event, level, answer } = entry;
    const id = event.alert;
    const slash = id.lastIndexOf("/");
    const life = lives.get(id) ?? { id, rule: id.slice(0, slash), raisedAt: Number(id.slice(slash + 1)), steps: [] };
    life.steps.push({ n, at, event, level, answer, object });
    lives.set(id, life);
  }
  return [...lives.values()];
}

export const stepOf = (life: Life, ...kinds: readonly AlertEvent["kind"][]): Step | undefined =>
  life.steps.find(({ event }) => kinds.includes(event.kind));

/** How it was resolved, unless it came back since. */
export function resolutionOf({ steps }: Life): Step | undefined {
  const last = steps.findLast(({ event }) => event.kind === "resolved" || event.kind === "raisedAgain");
  return last?.event.kind === "resolved" ? last : undefined;
}

/** How it was last acknowledged, and whether that holds: it came back or got worse since where it does not. */
export function acknowledgementOf({ steps }: Life): { readonly step: Step; readonly holds: boolean } | undefined {
  const step = steps.findLast(({ event }) => event.kind === "acknowledged");
  if (step === undefined) return undefined;
  const later = steps.filter(({ n }) => n > step.n);
  return { step, holds: !later.some(({ event, level }) => event.kind === "raisedAgain" || level > step.level) };
}
