import { parseInstant } from "./instant.ts";
import type { Observation, SampledData } from "./observation.ts";

/** One value of one channel; `at` in unix seconds with their fraction. */
export interface Point {
  readonly at: number;
  readonly value: number;
  /** As it stood in the source. */
  readonly text: string;
}

/** The numbers of an observation: of a quantity and a boolean one, of sampled data one each sample, of what is missing none. */
export function pointsOf({ time, value }: Observation): Point[] {
  const at = secondsOf(time);
  if (value.kind === "quantity")
    return [{ at, value: Number(value.decimal), text: `${value.comparator}${value.decimal}` }];
  if (value.kind === "boolean") return [{ at, value: value.value ? 1 : 0, text: String(value.value) }];
  return value.kind === "sampled" ? samplesOf(at, value.sampled) : [];
}

/** Of the first dimension. `E`, `L` and `U` (error, below and above what is measured) are no values. */
function samplesOf(start: number, { origin, period, factor, dimensions, data }: SampledData): Point[] {
  const step = Number(period) / 1000;
  const scale = factor === "" ? 1 : Number(factor);
  return data
    .trim()
    .split(/\s+/)
    .filter((_, i) => i % dimensions === 0)
    .flatMap((sample, i) => {
      const value = Number(origin) + scale * Number(sample);
      return [{ at: start + i * step, value, text: String(value) }];
    });
}

/** Unix seconds with their fraction, `NaN` for no instant. */
export function secondsOf(time: string): number {
  const instant = parseInstant(time);
  return instant === undefined ? NaN : instant.seconds + Number(`0.${instant.fraction || "0"}`);
}
