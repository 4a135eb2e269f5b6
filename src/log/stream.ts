import { UsageError } from "../errors.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { BATCH_CLASSES } from "./batch.ts";
import { readChannel, writeChannel } from "./leaf.ts";
import type { Channel } from "../observation/observation.ts";

/** What a stream is. Sealed: travels inside envelopes and the vault only. */
export interface StreamDescriptor {
  /** Random, 32 bytes, never public. */
  readonly id: Uint8Array;
  /** The patient's word for it, for example `heart-rate`. */
  readonly name: string;
  /** One channel, or several that are always shared together. */
  readonly channels: readonly Channel[];
  /** Seconds, 1 to 86,400, a divisor of a day; epoch = unix seconds / length, rounded down. */
  readonly epochLength: number;
  /** Index in `BATCH_CLASSES` of the smallest size a batch block of this stream takes. */
  readonly batchClass: number;
}

export const LONGEST_EPOCH = 86_400;

export function writeDescriptor(writer: ByteWriter, stream: StreamDescriptor): ByteWriter {
  writer.fixed(stream.id, 32).text(stream.name).uint(stream.channels.length, 1);
  for (const channel of stream.channels) writeChannel(writer, channel);
  return writer.uint(stream.epochLength, 4).uint(stream.batchClass, 1);
}

export function readDescriptor(reader: ByteReader): StreamDescriptor {
  const named = { id: reader.fixed(32), name: reader.text() };
  const channels = Array.from({ length: reader.uint(1) }, () => readChannel(reader));
  const epochLength = reader.uint(4);
  if (!isEpochLength(epochLength)) reader.fail("epoch length does not divide a day");
  const batchClass = reader.uint(1);
  if (batchClass >= BATCH_CLASSES.length) reader.fail("unknown batch class");
  return { ...named, channels, epochLength, batchClass };
}

export const isEpochLength = (seconds: number): boolean =>
  Number.isInteger(seconds) && seconds >= 1 && LONGEST_EPOCH % seconds === 0;

/** First and last-plus-one epoch of a window of whole unix seconds. @throws UsageError off epoch bounds. */
export function epochsOf(
  stream: Pick<StreamDescriptor, "epochLength">,
  start: number,
  end: number,
): { from: number; to: number } {
  if (start % stream.epochLength !== 0 || end % stream.epochLength !== 0)
    throw new UsageError(`the window does not start and end on bounds of ${stream.epochLength} s epochs`);
  return { from: start / stream.epochLength, to: end / stream.epochLength };
}
