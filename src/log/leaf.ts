import { createCipheriv } from "node:crypto";
import { concat } from "../bytes/bytes.ts";
import { ByteReader } from "../bytes/reader.ts";
import { ManyDigests } from "../bytes/sha256-many.ts";
import { ByteWriter } from "../bytes/writer.ts";
import {
  COMPARATORS,
  STATUSES,
  type Channel,
  type Code,
  type Observation,
  type SampledData,
  type Value,
} from "../observation/observation.ts";
import { parseInstant, SECONDS_AT } from "../observation/instant.ts";
import { DIGEST, LEAF, leafHash } from "./merkle.ts";

type Missing = Extract<Value, { kind: "missing" }>;

const VERSION = 1;
const KINDS = ["missing", "quantity", "sampled", "boolean"] as const;
export const SALT_SIZE = 16;
const CHANNELS_KEPT = 256;

/** Channel as it stands in a leaf and in a batch's channel table; docs/formats.md, "Channel". */
export function writeChannel(writer: ByteWriter, channel: Channel): ByteWriter {
  writeCode(writer, channel.code).uint(channel.component ? 1 : 0, 1);
  if (channel.component) writeCode(writer, channel.component);
  return writer.text(channel.unit);
}

export function readChannel(reader: ByteReader): Channel {
  const code = readCode(reader);
  const component = reader.choice([false, true], "component flag") ? { component: readCode(reader) } : {};
  return { code, ...component, unit: reader.text() };
}

// Codes may have 256 characters of any script, which is more than one byte of length can say.
const writeCode = (writer: ByteWriter, { system, code }: Code): ByteWriter => writer.text(system, 2).text(code, 2);

const readCode = (reader: ByteReader): Code => ({ system: reader.text(2), code: reader.text(2) });

export const writeMissing = (writer: ByteWriter, { reason, source }: Missing): ByteWriter =>
  writer.text(reason).text(source, 2);

export const readMissing = (reader: ByteReader): Missing => ({
  kind: "missing",
  reason: reader.text(),
  source: reader.text(2),
});

const SAMPLED_NUMBERS = ["origin", "period", "factor", "lowerLimit", "upperLimit"] as const;

export function writeSampled(writer: ByteWriter, sampled: SampledData): ByteWriter {
  for (const field of SAMPLED_NUMBERS) writer.text(sampled[field]);
  return writer.uint(sampled.dimensions, 2).text(sampled.data, 4);
}

export function readSampled(reader: ByteReader): SampledData {
  const [origin, period, factor, lowerLimit, upperLimit] = SAMPLED_NUMBERS.map(() => reader.text()) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { origin, period, factor, lowerLimit, upperLimit, dimensions: reader.uint(2), data: reader.text(4) };
}

export function writeValue(writer: ByteWriter, value: Value): ByteWriter {
  writer.uint(KINDS.indexOf(value.kind), 1);
  switch (value.kind) {
    case "missing":
      return writeMissing(writer, value);
    case "quantity":
      return writer.uint(COMPARATORS.indexOf(value.comparator), 1).text(value.decimal);
    case "sampled":
      return writeSampled(writer, value.sampled);
    case "boolean":
      return writer.uint(value.value ? 1 : 0, 1);
  }
}

function readValue(reader: ByteReader): Value {
  const kind = reader.choice(KINDS, "kind of value");
  switch (kind) {
    case "missing":
      return readMissing(reader);
    case "quantity":
      return { kind, comparator: reader.choice(COMPARATORS, "comparator"), decimal: reader.text() };
    case "sampled":
      return { kind, sampled: readSampled(reader) };
    case "boolean":
      return { kind, value: reader.choice([false, true], "boolean") };
  }
}

/** An observation as the bytes its leaf commits to; self-contained, so that one reading can be shown alone. */
export const encodeObservation = (observation: Observation): Uint8Array =>
  writeContent(writeBeginning(new ByteWriter(), observation.channel), observation).finish();

/** What all observations of a channel have in common. */
export const writeBeginning = (writer: ByteWriter, channel: Channel): ByteWriter =>
  writeChannel(writer.uint(VERSION, 1), channel);

const writeContent = (writer: ByteWriter, { time, status, value }: Observation): ByteWriter =>
  writeValue(writer.text(time).uint(STATUSES.indexOf(status), 1), value);

/** @throws MalformedError unless the bytes are exactly one observation. */
export function decodeObservation(bytes: Uint8Array): Observation {
  const reader = new ByteReader(bytes, "observation").expect(Uint8Array.of(VERSION), "version 1");
  const channel = readChannel(reader);
  const time = reader.text();
  if (!parseInstant(time)) reader.fail("effective time is no instant");
  const observation = { channel, time, status: reader.choice(STATUSES, "status"), value: readValue(reader) };
  reader.end();
  return observation;
}

/**
 * The salts of a chunk's leaves: the keystream of AES-256-CTR under the chunk's seed, counter from zero, cut into 16-byte pieces.
 * Showing some of them says nothing of the others.
 */
export function leafSalts(seed: Uint8Array, count: number): Uint8Array[] {
  const stream = saltStream(seed, count);
  return Array.from({ length: count }, (_, i) => new Uint8Array(stream.subarray(SALT_SIZE * i, SALT_SIZE * (i + 1))));
}

export const saltStream = (seed: Uint8Array, count: number): Buffer =>
  createCipheriv("aes-256-ctr", seed, new Uint8Array(16)).update(new Uint8Array(SALT_SIZE * count));

/** RFC 9162, section 2.1.1: SHA-256(0x00 ‖ salt ‖ observation). */
export const observationLeaf = (salt: Uint8Array, observation: Observation): Uint8Array =>
  leafHash(concat(salt, encodeObservation(observation)));

/** Leaf hashes of a chunk's observations, in the signer's order. */
export function observationLeaves(seed: Uint8Array, observations: readonly Observation[]): Uint8Array[] {
  const leaves = flatLeaves(seed, observations);
  return observations.map((_, i) => new Uint8Array(leaves.subarray(DIGEST * i, DIGEST * (i + 1))));
}

/** The same one behind the other, for `flatRoot`. What the leaves of a channel have in common is written once, and its time once a minute. */
export function flatLeaves(seed: Uint8Array, observations: readonly Observation[]): Buffer {
  const salts = saltStream(seed, observations.length);
  const leaves = Buffer.allocUnsafe(DIGEST * observations.length);
  const digests = new ManyDigests(leaves);
  const inputs = new Map<Channel, LeafInput>();
  // NaN, which is not even itself, for a time that has none.
  let [last, minute, minutes] = ["", NaN, 0];
  for (let i = 0; i < observations.length; i++) {
    const { channel, time, status, value } = observations[i] as Observation;
    if (time !== last) {
      if (!isSameMinute(time, last)) minute = isSameMinute(time, time) ? ++minutes : NaN;
      last = time;
    }
    let input = inputs.get(channel);
    if (!input) {
      input = inputFor(channel);
      // Sources may name the same channel anew with each reading.
      if (inputs.size === CHANNELS_KEPT) inputs.clear();
      inputs.set(channel, input);
    }
    const { writer, beginning } = input;
    if (input.time === minute) {
      writer.cut(input.end).overDigits(beginning + 1 + SECONDS_AT, time, SECONDS_AT);
    } else {
      input.time = minute;
      input.end = writer.cut(beginning).text(time).length;
    }
    writeValue(writer.uint(STATUSES.indexOf(status), 1), value).over(1, salts, SALT_SIZE * i, SALT_SIZE);
    digests.add(writer.view());
  }
  digests.finish();
  return leaves;
}

/** What the leaves of one channel begin with, up to the status. */
export interface LeafInput {
  readonly writer: ByteWriter;
  readonly beginning: number;
  /** Which time, by a number of the caller's, stands behind the beginning, and where it ends. */
  time: number;
  end: number;
}

export function inputFor(channel: Channel): LeafInput {
  const writer = new ByteWriter().uint(LEAF, 1).raw(new Uint8Array(SALT_SIZE));
  return { writer, beginning: writeBeginning(writer, channel).length, time: -1, end: 0 };
}

/** Whether two times differ in the digits of their whole seconds at the most. */
function isSameMinute(a: string, b: string): boolean {
  if (a.length !== b.length || a.length < SECONDS_AT + 2) return false;
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    const alike = i === SECONDS_AT || i === SECONDS_AT + 1 ? isDigit(left) && isDigit(right) : left === right;
    // A character is a byte.
    if (!alike || left >= 0x80) return false;
  }
  return true;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
