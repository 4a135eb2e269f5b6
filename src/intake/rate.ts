import { parseInstant } from "../observation/instant.ts";
import type { Observation } from "../observation/observation.ts";
import { channelKey } from "../observation/observation.ts";

/** Lengths an epoch may have, in seconds. Each divides a day, so that epochs begin with the day in UTC. */
export const EPOCH_LENGTHS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400,
] as const;
export type EpochLength = (typeof EPOCH_LENGTHS)[number];

const HOUR = 3600;
const DAY = 86_400;

/** From which sampling period on an epoch has which length; an epoch then holds 60,000 readings of a channel at most, up to 1 kHz. */
const BY_PERIOD: readonly (readonly [atLeast: number, length: EpochLength])[] = [
  [60, DAY],
  [0.1, HOUR],
  [0.01, 600],
  [0, 60],
];

/** @param period - Seconds between readings; undefined where it is not known: one hour. */
export const epochLengthFor = (period: number | undefined): EpochLength =>
  period === undefined ? HOUR : (BY_PERIOD.find(([atLeast]) => period >= atLeast)?.[1] ?? HOUR);

/** The longest epoch of which the span holds so many. @param span - Seconds from the first reading to the last. */
export const epochLengthForAtLeast = (span: number, epochs = 8): EpochLength =>
  EPOCH_LENGTHS.findLast((length) => span / length >= epochs) ?? 1;

/** Steps taken into account; the first of a file tell its rate. */
const STEPS = 4096;
const CHANNELS = 1024;

export interface RateEstimator {
  see(observation: Observation): void;
  /** Median step between successive values of one channel, in seconds; undefined before there is a step. */
  period(): number | undefined;
  /** Seconds from the earliest effective time to the latest. */
  span(): number;
}

/** Looks on as observations pass by; keeps the first few thousand steps only. */
export function rateEstimator(): RateEstimator {
  const last = new Map<string, number>();
  const steps: number[] = [];
  let [first, latest] = [Infinity, -Infinity];
  return {
    see({ channel, time }) {
      const instant = parseInstant(time);
      if (!instant) return;
      const at = instant.seconds + Number(`0.${instant.fraction || "0"}`);
      first = Math.min(first, at);
      latest = Math.max(latest, at);
      const key = channelKey(channel);
      const before = last.get(key);
      if (before !== undefined && at > before && steps.length < STEPS) steps.push(at - before);
      if (before !== undefined || last.size < CHANNELS) last.set(key, at);
    },
    period: () => median(steps),
    span: () => (latest < first ? 0 : latest - first),
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) return undefined;
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}
