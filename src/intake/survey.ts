import { channelKey, type Channel, type Observation } from "../observation/observation.ts";
import { parseInstant } from "../observation/instant.ts";
import type { StreamDescriptor } from "../log/stream.ts";
import { epochLengthFor, rateEstimator } from "./rate.ts";
import type { Intake, QuarantinedRow } from "./types.ts";

/** What channels are usually called, by LOINC and IEEE 11073 code. */
const NAMES: Readonly<Record<string, string>> = {
  "8867-4": "heart-rate",
  "8889-8": "pulse-rate",
  "9279-1": "respiratory-rate",
  "59408-5": "oxygen-saturation",
  "2708-6": "oxygen-saturation",
  "8310-5": "body-temperature",
  "8478-0": "mean-blood-pressure",
  "99504-3": "glucose",
  "2339-0": "glucose",
  "149530": "pulse-rate",
  "150456": "oxygen-saturation",
  "150320": "saturation-quality",
  "150604": "device-status",
  "67996": "battery",
};

/** One stream a code; components of one code (a device's status bits) stay together. */
export const streamNameOf = ({ code }: Channel): string => NAMES[code.code] ?? `code-${code.code}`;

/** What is in a recording, seen once through. */
export interface Survey {
  /** Streams it would fill, with the epoch length that its rate suggests. */
  readonly streams: readonly Omit<StreamDescriptor, "id">[];
  readonly readings: number;
  readonly missing: number;
  readonly quarantined: number;
  /** Unix seconds of the earliest effective time, and of the second after the latest. */
  readonly from: number;
  readonly to: number;
}

/**
 * @param apart - Told of each row that cannot be read.
 * @throws the intake's errors.
 */
export async function survey(intake: Intake, apart = (_row: QuarantinedRow): void => {}): Promise<Survey> {
  const channels = new Map<string, Map<string, Channel>>();
  const rate = rateEstimator();
  let [readings, missing, quarantined, from, to] = [0, 0, 0, Infinity, -Infinity];
  for await (const row of intake.rows()) {
    if (row.kind === "quarantined") {
      quarantined += 1;
      apart(row);
      continue;
    }
    see(row.observation);
  }
  const epochLength = epochLengthFor(rate.period());
  const streams = [...channels].map(([name, found]) => ({
    name,
    channels: [...found.values()],
    epochLength,
    batchClass: 0,
  }));
  return { streams, readings, missing, quarantined, from, to };

  function see(observation: Observation): void {
    const { channel, time, value } = observation;
    const name = streamNameOf(channel);
    channels.set(name, (channels.get(name) ?? new Map<string, Channel>()).set(channelKey(channel), channel));
    rate.see(observation);
    const seconds = parseInstant(time)?.seconds ?? 0;
    [from, to] = [Math.min(from, seconds), Math.max(to, seconds + 1)];
    if (value.kind === "missing") missing += 1;
    else readings += 1;
  }
}
