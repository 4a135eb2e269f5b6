import { ByteWriter } from "../bytes/writer.ts";
import { offsetMinutes, parseInstant } from "../observation/instant.ts";
import { channelKey, COMPARATORS, STATUSES, type Channel, type Observation } from "../observation/observation.ts";
import { compactDecimal } from "./decimal.ts";
import { TooLargeError } from "./errors.ts";
import { writeMissing, writeSampled } from "./leaf.ts";
import { DAY, MINUS_ZERO, ROW_KINDS, TEXT_DECIMAL, ZULU, type TimeForm } from "./rows.ts";

/**
 * A chunk's rows as columns, so that what repeats lies together and compresses; docs/formats.md, "Columns".
 * Everything is exact: rows come back with the text of their values and times.
 */
const MAX_FORMS = 255;

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

/** Offsets as 16 bits: minutes east plus 2^14, `Z` and the `-00:00` of RFC 3339 apart from `+00:00`. */
function offsetCode(offset: string): number {
  if (offset === "Z") return ZULU;
  return offset === "-00:00" ? MINUS_ZERO : offsetMinutes(offset) + 0x4000;
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
  const decimal = { mantissa: 0, scale: 0 };
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
    shape[row] = ROW_KINDS.indexOf(value.kind) | (STATUSES.indexOf(status) << 2) | (comparator << 5);

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
      const compact = compactDecimal(value.decimal, decimal);
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
