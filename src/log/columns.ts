import { ByteReader } from "../bytes/reader.ts";
import { ByteWriter } from "../bytes/writer.ts";
import { formatInstant, offsetMinutes, parseInstant } from "../observation/instant.ts";
import {
  channelKey,
  COMPARATORS,
  STATUSES,
  type Channel,
  type Observation,
  type Value,
} from "../observation/observation.ts";
import { compactDecimal, expandDecimal } from "./decimal.ts";
import { TooLargeError } from "./errors.ts";
import { readMissing, readSampled, writeMissing, writeSampled } from "./leaf.ts";

/**
 * A chunk's rows as columns, so that what repeats lies together and compresses; docs/formats.md, "Columns".
 * Everything is exact: rows come back with the text of their values and times.
 */
const KINDS = ["missing", "quantity", "sampled", "boolean"] as const;
const TEXT_DECIMAL = 0xff;
const ZULU = 0x7fff;
const MINUS_ZERO = 0x7ffe;
const COLUMNS = 7;
const MAX_FORMS = 255;
/** Seconds: no epoch is longer, so no time lies further from its start. */
const DAY = 86_400;
/** 9999-12-31T23:59:59, the last local second with a year of four digits. */
const LAST_LOCAL = 253_402_300_799;

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/** Offsets as 16 bits: minutes east plus 2^14, `Z` and the `-00:00` of RFC 3339 apart from `+00:00`. */
function offsetCode(offset: string): number {
  if (offset === "Z") return ZULU;
  return offset === "-00:00" ? MINUS_ZERO : offsetMinutes(offset) + 0x4000;
}

function offsetText(code: number, reader: ByteReader): string {
  if (code === ZULU) return "Z";
  if (code === MINUS_ZERO) return "-00:00";
  const minutes = code - 0x4000;
  if (Math.abs(minutes) > 14 * 60) reader.fail("offset beyond 14 hours");
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** How a time is written: digits behind the point and offset. Rows name theirs by index. */
interface TimeForm {
  readonly digits: number;
  readonly offset: string;
}

/**
 * @param base - Unix seconds from which times count: the start of the chunk's epoch, of which no time lies a day or more away.
 * @throws TooLargeError for more than 255 forms of time.
 */
export function encodeColumns(
  observations: readonly Observation[],
  channels: readonly Channel[],
  base: number,
): Uint8Array {
  const count = observations.length;
  const [channelColumn, shape, form] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)];
  const [tick, scale, mantissa, rest] = [new ByteWriter(), new ByteWriter(), new ByteWriter(), new ByteWriter()];
  const keyed = new Map(channels.map((channel, i) => [channelKey(channel), i]));
  const indexes = new Map(channels.map((channel, i) => [channel, i]));
  const forms = new Map<string, { index: number; form: TimeForm; last: number }>();
  const lastMantissa = new Float64Array(channels.length);
  // Values of one row have one time.
  let [instant, known, last] = [parseInstant(""), forms.get(""), ""];

  for (let row = 0; row < count; row++) {
    const { channel, time, status, value } = observations[row] as Observation;
    const channelIndex = indexes.get(channel) ?? keyed.get(channelKey(channel));
    if (time !== last) {
      instant = parseInstant(time);
      last = time;
      known = undefined;
    }
    if (channelIndex === undefined || !instant)
      throw new RangeError("observation outside the channel table, or its time is no instant");
    const comparator = value.kind === "quantity" ? COMPARATORS.indexOf(value.comparator) : 0;
    channelColumn[row] = channelIndex;
    shape[row] = KINDS.indexOf(value.kind) | (STATUSES.indexOf(status) << 2) | (comparator << 5);

    if (known) tick.uint(0, 1);
    else {
      const { seconds, fraction, offset } = instant;
      const formKey = `${fraction.length}${offset}`;
      known = forms.get(formKey) ?? { index: forms.size, form: { digits: fraction.length, offset }, last: 0 };
      forms.set(formKey, known);
      if (forms.size > MAX_FORMS) throw new TooLargeError(`a chunk holds at most ${MAX_FORMS} forms of time`);
      if (seconds < base || seconds >= base + DAY) throw new RangeError("observation outside its epoch");
      const ticks = (seconds - base) * 10 ** fraction.length + Number(fraction || "0");
      tick.varint(zigzag(ticks - known.last));
      known.last = ticks;
    }
    form[row] = known.index;

    if (value.kind === "quantity") {
      const compact = compactDecimal(value.decimal);
      scale.uint(compact?.scale ?? TEXT_DECIMAL, 1);
      if (compact) {
        mantissa.varint(zigzag(compact.mantissa - (lastMantissa[channelIndex] as number)));
        lastMantissa[channelIndex] = compact.mantissa;
      } else rest.text(value.decimal);
    } else if (value.kind === "missing") writeMissing(rest, value);
    else if (value.kind === "boolean") rest.uint(value.value ? 1 : 0, 1);
    else writeSampled(rest, value.sampled);
  }

  const writer = new ByteWriter().uint(count, 4).uint(base, 6).uint(forms.size, 1);
  for (const { form: known } of forms.values()) writer.uint(known.digits, 1).uint(offsetCode(known.offset), 2);
  const written = [tick, scale, mantissa, rest].map((column) => column.finish());
  for (const column of [channelColumn, shape, form, ...written]) writer.sized(column, 4);
  return writer.finish();
}

/**
 * @param base - Unix seconds of the start of the epoch, as the place of the batch has it.
 * @param most - Rows that the caller has room for.
 * @throws MalformedError on anything `encodeColumns` does not write.
 */
export function decodeColumns(
  reader: ByteReader,
  channels: readonly Channel[],
  base: number,
  most: number,
): Observation[] {
  const count = reader.uint(4);
  if (count > most) reader.fail("too many rows");
  if (reader.uint(6) !== base) reader.fail("times count from another epoch");
  const forms = Array.from({ length: reader.uint(1) }, () => {
    const digits = reader.uint(1);
    if (digits > 9) reader.fail("more than 9 digits behind the second");
    return { digits, offset: offsetText(reader.uint(2), reader), last: 0 };
  });
  if (new Set(forms.map(({ digits, offset }) => `${digits}${offset}`)).size < forms.length)
    reader.fail("a form of time stands twice");
  let formsUsed = 0;
  const columns = Array.from({ length: COLUMNS }, () => new ByteReader(reader.sized(4), "batch column"));
  const [channelColumn, shape, form, tick, scale, mantissa, rest] = columns as [
    ByteReader,
    ByteReader,
    ByteReader,
    ByteReader,
    ByteReader,
    ByteReader,
    ByteReader,
  ];
  if (channelColumn.left !== count) reader.fail("channel column and row count differ");
  const lastMantissa = new Map<number, number>();

  const observations: Observation[] = [];
  let [lastForm, time] = [-1, ""];
  for (let row = 0; row < count; row++) {
    const channelIndex = channelColumn.uint(1);
    const channel = channels[channelIndex] ?? channelColumn.fail("unknown channel");
    const bits = shape.uint(1);
    const kind = KINDS[bits & 3] as (typeof KINDS)[number];
    const status = STATUSES[(bits >> 2) & 7] ?? shape.fail("unknown status");
    const comparator = COMPARATORS[bits >> 5] ?? shape.fail("unknown comparator");
    if (kind !== "quantity" && comparator !== "") shape.fail("comparator without a quantity");

    const formIndex = form.uint(1);
    const known = forms[formIndex] ?? form.fail("unknown time form");
    if (formIndex > formsUsed) form.fail("forms of time are not in the order of their first use");
    if (formIndex === formsUsed) formsUsed++;
    const step = tick.varint();
    known.last += unzigzag(step);
    const perSecond = 10 ** known.digits;
    if (known.last < 0 || known.last >= DAY * perSecond) tick.fail("time a day or more from the start of its epoch");
    const seconds = Math.floor(known.last / perSecond);
    const fraction = known.digits === 0 ? "" : String(known.last - seconds * perSecond).padStart(known.digits, "0");
    if (base + seconds + 60 * offsetMinutes(known.offset) > LAST_LOCAL) tick.fail("time after the year 9999");
    // Values of one row have one time.
    if (step !== 0 || formIndex !== lastForm)
      time = formatInstant({ seconds: base + seconds, fraction, offset: known.offset });
    lastForm = formIndex;
    observations.push({ channel, time, status, value: readValue(kind) });

    function readValue(of: (typeof KINDS)[number]): Value {
      switch (of) {
        case "missing":
          return readMissing(rest);
        case "boolean":
          return { kind: of, value: rest.choice([false, true], "boolean") };
        case "sampled":
          return { kind: of, sampled: readSampled(rest) };
        case "quantity":
          return { kind: of, comparator: comparator, decimal: readDecimal() };
      }
    }
    function readTextDecimal(): string {
      const text = rest.text();
      return compactDecimal(text) ? rest.fail("a decimal that has a shorter form stands as text") : text;
    }
    function readDecimal(): string {
      const digits = scale.uint(1);
      if (digits === TEXT_DECIMAL) return readTextDecimal();
      if (digits > 15) scale.fail("more than 15 digits behind the point");
      const next = (lastMantissa.get(channelIndex) ?? 0) + unzigzag(mantissa.varint());
      if (Math.abs(next) >= 1e15) mantissa.fail("mantissa of more than 15 digits");
      lastMantissa.set(channelIndex, next);
      return expandDecimal({ mantissa: next, scale: digits });
    }
  }
  if (formsUsed < forms.length) form.fail("a form of time is not used");
  for (const column of columns) column.end();
  return observations;
}
