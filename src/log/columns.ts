import { ByteWriter } from "../bytes/writer.ts";
import { offsetMinutes, parseInstant } from "../observation/instant.ts";
import { channelKey, COMPARATORS, STATUSES, type Channel, type Observation } from "../observation/observation.ts";
import { compactDecimal } from "./decimal.ts";
import { TooLargeError } from "./errors.ts";
import { writeMissing, writeSampled } from "./leaf.ts";
import { COLUMNS, DAY, MINUS_ZERO, ROW_KINDS, TEXT_DECIMAL, ZULU, type TimeForm } from "./rows.ts";

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
  const columns = Array.from({ length: COLUMNS }, () => new ByteWriter());
  const [channelColumn, shape, form, tick, scale, mantissa, rest] = columns as [
    ByteWriter,
    ByteWriter,
    ByteWriter,
    ByteWriter,
    ByteWriter,
    ByteWriter,
    ByteWriter,
  ];
  const indexOf = new Map(channels.map((channel, i) => [channelKey(channel), i]));
  const forms = new Map<string, { index: number; form: TimeForm; last: number }>();
  const lastMantissa = channels.map(() => 0);
  // Values of one row have one time.
  let [instant, known, ticks] = [parseInstant(""), forms.get(""), 0];

  for (const { channel, time, status, value } of observations) {
    const channelIndex = indexOf.get(channelKey(channel));
    const next = parseInstant(time);
    if (channelIndex === undefined || !next)
      throw new RangeError("observation outside the channel table, or its time is no instant");
    const comparator = value.kind === "quantity" ? COMPARATORS.indexOf(value.comparator) : 0;
    channelColumn.uint(channelIndex, 1);
    shape.uint(ROW_KINDS.indexOf(value.kind) | (STATUSES.indexOf(status) << 2) | (comparator << 5), 1);

    if (next !== instant || !known) {
      instant = next;
      const { seconds, fraction, offset } = instant;
      const formKey = `${fraction.length}${offset}`;
      known = forms.get(formKey) ?? { index: forms.size, form: { digits: fraction.length, offset }, last: 0 };
      forms.set(formKey, known);
      if (forms.size > MAX_FORMS) throw new TooLargeError(`a chunk holds at most ${MAX_FORMS} forms of time`);
      if (seconds < base || seconds >= base + DAY) throw new RangeError("observation outside its epoch");
      ticks = (seconds - base) * 10 ** fraction.length + Number(fraction || "0");
    }
    form.uint(known.index, 1);
    tick.varint(zigzag(ticks - known.last));
    known.last = ticks;

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

  const writer = new ByteWriter().uint(observations.length, 4).uint(base, 6).uint(forms.size, 1);
  for (const { form: known } of forms.values()) writer.uint(known.digits, 1).uint(offsetCode(known.offset), 2);
  for (const column of columns) writer.sized(column.finish(), 4);
  return writer.finish();
}
