import type { Channel, Observation } from "../observation/observation.ts";
import { pointsOf, secondsOf, type Point } from "../observation/points.ts";
import { joined, split, within, type Span } from "./span.ts";

/**
 * A time without a reading. `silent`: the signed record covers it, and holds none. `unrecorded`: there is no signed record of it here.
 * `unverified`: what is there cannot be verified.
 */
export interface Gap extends Span {
  readonly kind: "silent" | "unrecorded" | "unverified";
}

/** What a page shows of one channel. */
export interface Series {
  readonly channel: Channel;
  /** By time. */
  readonly points: readonly Point[];
  /** Times at which the source marked a value absent. */
  readonly missing: readonly number[];
  readonly gaps: readonly Gap[];
}

export interface Recorded {
  readonly window: Span;
  /** The end of what can have been recorded: now. */
  readonly now: number;
  readonly epochLength: number;
  /** Epochs of which a header opened. */
  readonly covered: readonly Span[];
  /** Epochs about which something was found. */
  readonly unverified: readonly Span[];
}

/** Between two readings farther apart than so many usual steps, something is not there. */
const STEPS = 3;

export function seriesOf(channel: Channel, observations: readonly Observation[], recorded: Recorded): Series {
  const { from, to } = recorded.window;
  const inWindow = ({ at }: { at: number }): boolean => at >= from && at < to;
  const points = observations.flatMap(pointsOf).filter((point) => inWindow(point) && Number.isFinite(point.value));
  points.sort((a, b) => a.at - b.at);
  const absent = observations
    .filter(({ value }) => value.kind === "missing")
    .map(({ time }) => ({ at: secondsOf(time) }));
  const missing = absent.filter(inWindow).map(({ at }) => at);
  return { channel, points, missing: missing.sort((a, b) => a - b), gaps: gapsOf(points, recorded) };
}

/** From each reading to the next, and from the window's ends to the outermost: where it takes too long. */
function gapsOf(points: readonly Point[], { window, now, epochLength, covered, unverified }: Recorded): Gap[] {
  const end = Math.max(window.from, Math.min(window.to, now));
  const times = [window.from, ...points.map(({ at }) => at), end];
  const steps = times.slice(2, -1).map((at, i) => at - (times[i + 1] as number));
  const usual = steps.sort((a, b) => a - b)[steps.length >> 1] ?? epochLength;
  const isLong = ({ from, to }: Span): boolean => to - from > STEPS * Math.max(usual, 0.001);
  const open = times
    .slice(1)
    .map((to, i) => ({ from: times[i] as number, to }))
    .filter(isLong);
  const [bad, known] = [joined(unverified), joined(covered)];
  return open
    .flatMap((gap) => {
      const { inside, outside } = split(gap, bad);
      const rest = outside.map((part) => split(part, known));
      return [
        ...inside.filter(isLong).map((part) => ({ ...part, kind: "unverified" as const })),
        ...rest.flatMap((part) => part.inside.filter(isLong).map((one) => ({ ...one, kind: "silent" as const }))),
        ...rest.flatMap((part) => part.outside.map((one) => ({ ...one, kind: "unrecorded" as const }))),
      ];
    })
    .sort((a, b) => a.from - b.from);
}

export interface Figures {
  readonly readings: number;
  readonly unverified: number;
  readonly missing: number;
  readonly lowest?: Point;
  readonly highest?: Point;
  readonly mean?: string;
}

/** Of the readings that are verified; those that are not are counted only. */
export function figuresOf({ points, missing }: Series, unverified: readonly Span[]): Figures {
  const good = points.filter(({ at }) => !within(unverified, at));
  const counts = { readings: points.length, unverified: points.length - good.length, missing: missing.length };
  let [lowest, highest] = [good[0], good[0]];
  if (lowest === undefined || highest === undefined) return counts;
  let sum = 0;
  for (const point of good) {
    if (point.value < lowest.value) lowest = point;
    if (point.value > highest.value) highest = point;
    sum += point.value;
  }
  const digits = (/\.(\d+)$/.exec(lowest.text)?.[1] ?? "").length + 1;
  return { ...counts, lowest, highest, mean: (sum / good.length).toFixed(Math.min(digits, 6)) };
}
