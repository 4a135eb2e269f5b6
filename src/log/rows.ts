import { ByteReader } from "../bytes/reader.ts";
import { formatInstant, offsetMinutes } from "../observation/instant.ts";
import { COMPARATORS, STATUSES, type Channel, type Observation, type Value } from "../observation/observation.ts";
import { compactDecimal, expandDecimal } from "./decimal.ts";
import { readMissing, readSampled } from "./leaf.ts";

/** How rows lie in columns; docs/formats.md, "Columns". */
export const ROW_KINDS = ["missing", "quantity", "sampled", "boolean"] as const;
export const COLUMNS = 7;
/** Stands in place of a scale where the decimal is kept as text. */
export const TEXT_DECIMAL = 0xff;
/** Codes of the offsets `Z` and `-00:00`; the others are minutes east plus 2^14. */
export const ZULU = 0x7fff;
export const MINUS_ZERO = 0x7ffe;
/** Seconds: no epoch is longer, so no time lies further from its start. */
export const DAY = 86_400;
/** 9999-12-31T23:59:59, the last local second with a year of four digits. */
const LAST_LOCAL = 253_402_300_799;

/** How a time is written: digits behind the point and offset. Rows name theirs by index. */
export interface TimeForm {
  readonly digits: number;
  readonly offset: string;
}

interface UsedForm extends TimeForm {
  readonly perSecond: number;
  /** Seconds east. */
  readonly east: number;
  last: number;
}

const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

/**
 * Goes through the rows of one chunk one by one: what it says of a row stands until the next one. Whoever only checks rows makes no object of
 * each of them.
 */
export class Rows {
  readonly count: number;
  readonly #base: number;
  readonly #channels: readonly Channel[];
  readonly #forms: readonly UsedForm[];
  readonly #seen: (channelIndex: number) => void;
  readonly #columns: readonly ByteReader[];
  readonly #lastMantissa: Float64Array;
  #formsUsed = 0;
  #row = 0;

  channelIndex = 0;
  statusIndex = 0;
  kind: (typeof ROW_KINDS)[number] = "missing";
  comparatorIndex = 0;
  form: TimeForm;
  /** Unix seconds, and units of the form's last digit behind them. */
  seconds = 0;
  fraction = 0;
  /** Of a quantity: digits behind the point, or undefined where its text stands in `rest`. */
  scale: number | undefined;
  /** The digits of a quantity that has a scale. */
  mantissa = 0;
  /** What a row has beside a decimal with a scale. */
  rest: Value | undefined;

  /**
   * @param base - Unix seconds of the start of the epoch, as the place of the batch has it.
   * @param most - Rows that the caller has room for.
   * @param seen - Told the channel of each row.
   * @throws MalformedError on anything `encodeColumns` does not write, here and from `next`.
   */
  constructor(
    reader: ByteReader,
    channels: readonly Channel[],
    base: number,
    most: number,
    seen: (channelIndex: number) => void,
  ) {
    this.#seen = seen;
    this.#channels = channels;
    this.#base = base;
    this.count = reader.uint(4);
    if (this.count > most) reader.fail("too many rows");
    if (reader.uint(6) !== base) reader.fail("times count from another epoch");
    this.#forms = Array.from({ length: reader.uint(1) }, () => readForm(reader));
    if (new Set(this.#forms.map(({ digits, offset }) => `${digits}${offset}`)).size < this.#forms.length)
      reader.fail("a form of time stands twice");
    this.form = this.#forms[0] ?? { digits: 0, offset: "Z" };
    this.#columns = Array.from({ length: COLUMNS }, () => new ByteReader(reader.sized(4), "batch column"));
    if ((this.#columns[0] as ByteReader).left !== this.count) reader.fail("channel column and row count differ");
    this.#lastMantissa = new Float64Array(channels.length);
  }

  get channel(): Channel {
    return this.#channels[this.channelIndex] as Channel;
  }

  /** Moves to the next row. @returns false behind the last one, where everything must have been read. */
  next(): boolean {
    const columns = this.#columns;
    const form = columns[2] as ByteReader;
    if (this.#row === this.count) {
      if (this.#formsUsed < this.#forms.length) form.fail("a form of time is not used");
      for (const column of columns) column.end();
      return false;
    }
    this.#row += 1;
    const channelColumn = columns[0] as ByteReader;
    const shape = columns[1] as ByteReader;
    const tick = columns[3] as ByteReader;
    this.channelIndex = channelColumn.uint(1);
    if (this.channelIndex >= this.#channels.length) channelColumn.fail("unknown channel");
    this.#seen(this.channelIndex);
    const bits = shape.uint(1);
    this.kind = ROW_KINDS[bits & 3] as (typeof ROW_KINDS)[number];
    this.statusIndex = (bits >> 2) & 7;
    if (this.statusIndex >= STATUSES.length) shape.fail("unknown status");
    this.comparatorIndex = bits >> 5;
    if (this.comparatorIndex >= COMPARATORS.length) shape.fail("unknown comparator");
    if (this.kind !== "quantity" && this.comparatorIndex !== 0) shape.fail("comparator without a quantity");

    const formIndex = form.uint(1);
    const known = this.#forms[formIndex] ?? form.fail("unknown time form");
    if (formIndex > this.#formsUsed) form.fail("forms of time are not in the order of their first use");
    if (formIndex === this.#formsUsed) this.#formsUsed++;
    known.last += unzigzag(tick.varint());
    if (known.last < 0 || known.last >= DAY * known.perSecond)
      tick.fail("time a day or more from the start of its epoch");
    const within = Math.floor(known.last / known.perSecond);
    this.form = known;
    this.seconds = this.#base + within;
    this.fraction = known.last - within * known.perSecond;
    if (this.seconds + known.east > LAST_LOCAL) tick.fail("time after the year 9999");
    this.#readValue();
    return true;
  }

  /** The row as an object of its own. */
  observation(): Observation {
    const { channel, scale, mantissa } = this;
    const value: Value =
      this.rest ??
      ({
        kind: "quantity",
        comparator: COMPARATORS[this.comparatorIndex] as (typeof COMPARATORS)[number],
        decimal: expandDecimal({ mantissa, scale: scale as number }),
      } as const);
    return { channel, time: this.time(), status: STATUSES[this.statusIndex] as (typeof STATUSES)[number], value };
  }

  /** The effective time as the source wrote it. */
  time(): string {
    const { digits, offset } = this.form;
    const fraction = digits === 0 ? "" : String(this.fraction).padStart(digits, "0");
    return formatInstant({ seconds: this.seconds, fraction, offset });
  }

  #readValue(): void {
    const rest = this.#columns[6] as ByteReader;
    this.rest = undefined;
    switch (this.kind) {
      case "quantity":
        return this.#readDecimal();
      case "missing":
        this.rest = readMissing(rest);
        return;
      case "boolean":
        this.rest = { kind: "boolean", value: rest.choice([false, true], "boolean") };
        return;
      case "sampled":
        this.rest = { kind: "sampled", sampled: readSampled(rest) };
    }
  }

  #readDecimal(): void {
    const scale = this.#columns[4] as ByteReader;
    const mantissa = this.#columns[5] as ByteReader;
    const digits = scale.uint(1);
    if (digits === TEXT_DECIMAL) {
      const rest = this.#columns[6] as ByteReader;
      const decimal = rest.text();
      if (compactDecimal(decimal)) rest.fail("a decimal that has a shorter form stands as text");
      const comparator = COMPARATORS[this.comparatorIndex] as (typeof COMPARATORS)[number];
      this.rest = { kind: "quantity", comparator, decimal };
      return;
    }
    if (digits > 15) scale.fail("more than 15 digits behind the point");
    const next = (this.#lastMantissa[this.channelIndex] as number) + unzigzag(mantissa.varint());
    if (Math.abs(next) >= 1e15) mantissa.fail("mantissa of more than 15 digits");
    this.#lastMantissa[this.channelIndex] = next;
    this.scale = digits;
    this.mantissa = next;
  }
}

function readForm(reader: ByteReader): UsedForm {
  const digits = reader.uint(1);
  if (digits > 9) reader.fail("more than 9 digits behind the second");
  const offset = offsetText(reader.uint(2), reader);
  return { digits, offset, perSecond: 10 ** digits, east: 60 * offsetMinutes(offset), last: 0 };
}

function offsetText(code: number, reader: ByteReader): string {
  if (code === ZULU) return "Z";
  if (code === MINUS_ZERO) return "-00:00";
  const minutes = code - 0x4000;
  if (Math.abs(minutes) > 14 * 60) reader.fail("offset beyond 14 hours");
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}
