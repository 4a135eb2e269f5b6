import { channelKey } from "../../src/observation/observation.ts";
import { encodeObservation } from "../../src/log/leaf.ts";
import type { StreamDescriptor } from "../../src/log/stream.ts";
import { hex } from "../../src/bytes/bytes.ts";
import { openIntake } from "../../src/intake/intake.ts";
import { streamNameOf } from "../../src/intake/survey.ts";
import { epochLengthForAtLeast, rateEstimator } from "../../src/intake/rate.ts";
import type { Intake, IntakeOptions, QuarantinedRow } from "../../src/intake/types.ts";
import type { Channel, Observation } from "../../src/observation/observation.ts";
import { epochOf } from "../../src/log/chunk.ts";
import { UsageError } from "../../src/errors.ts";

/** A file of the user's, looked through once: what is in it and when. */
export interface Recording {
  readonly intake: Intake;
  readonly streams: readonly Omit<StreamDescriptor, "id">[];
  /** Name of the stream of an observation. */
  readonly streamOf: (observation: Observation) => string;
  readonly epochLength: number;
  /** First epoch with a reading, and the one after the last. */
  readonly firstEpoch: number;
  readonly endEpoch: number;
  readonly readings: number;
  readonly missing: number;
  readonly quarantined: readonly QuarantinedRow[];
  /** Every leaf as it must come back: its bytes in hex and how often it stood in the file. */
  readonly leaves: ReadonlyMap<string, number>;
}

export interface Cut {
  /** The fewest epochs that make an inner window and later readings worth looking at. */
  readonly fewestEpochs: number;
  /** Seconds; by default such that the recording has at least eight. */
  readonly epochLength?: number;
}

/** @throws InputError, UsageError as the intake does; UsageError when the file is too short to show a window in. */
export async function lookThrough(
  file: string,
  options: IntakeOptions,
  cut: Cut = { fewestEpochs: 6 },
): Promise<Recording> {
  const intake = await openIntake(file, options);
  const channels = new Map<string, Map<string, Channel>>();
  const leaves = new Map<string, number>();
  const quarantined: QuarantinedRow[] = [];
  const rate = rateEstimator();
  let [missing, count, first, last] = [0, 0, Infinity, -Infinity];
  for await (const row of intake.rows()) {
    if (row.kind === "quarantined") {
      quarantined.push(row);
      continue;
    }
    const { observation } = row;
    const { channel } = observation;
    const name = streamNameOf(channel);
    channels.set(name, (channels.get(name) ?? new Map<string, Channel>()).set(channelKey(channel), channel));
    rate.see(observation);
    const second = epochOf(observation.time, 1);
    [first, last] = [Math.min(first, second), Math.max(last, second)];
    count += 1;
    if (observation.value.kind === "missing") missing += 1;
    const leaf = hex(encodeObservation(observation));
    leaves.set(leaf, (leaves.get(leaf) ?? 0) + 1);
  }
  const epochLength = cut.epochLength ?? epochLengthForAtLeast(rate.span());
  const [firstEpoch, endEpoch] = [Math.floor(first / epochLength), Math.floor(last / epochLength) + 1];
  if (!(endEpoch - firstEpoch >= cut.fewestEpochs)) {
    throw new UsageError(
      `the recording is too short for the story: it needs ${cut.fewestEpochs} seconds or more of readings`,
      { hint: "take a longer recording" },
    );
  }
  const streams = [...channels].map(([name, found]) => ({
    name,
    channels: [...found.values()],
    epochLength,
    batchClass: 0,
  }));
  const streamOf = ({ channel }: Observation): string => streamNameOf(channel);
  return {
    intake,
    streams,
    streamOf,
    epochLength,
    firstEpoch,
    endEpoch,
    readings: count - missing,
    missing,
    quarantined,
    leaves,
  };
}
