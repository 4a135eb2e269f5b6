import type { Instant } from "../observation/instant.ts";
import type { Value } from "../observation/observation.ts";
import { isTimed, type SourceClock } from "./clock.ts";
import type { CsvPlan, PlannedColumn } from "./csv-plan.ts";

/** Reads the value of a cell by its text; undefined when it holds none. */
export type ReadValue = (text: string, missing: ReadonlySet<string>) => Value | undefined;

/** What a row of plain cells holds: `values` are those of the plan's columns. Good until the next row is read. */
export interface PlainRow {
  readonly time: string;
  readonly instant: Instant;
  readonly values: readonly Value[];
}

/** Values kept, by their bytes, and the bytes of the longest. */
const KEPT = 4096;
const LONGEST = 12;
const [QUOTE, SPACE, LAST] = [0x22, 0x20, 0x7e] as const;

interface Known {
  readonly text: string;
  readonly value: Value;
}

/**
 * Reads the rows of a CSV straight from their bytes, where all cells are plain: printable ASCII without quotes, and without blanks at
 * their ends. Nothing is made for a cell whose text came before, which is most of them in what a sensor writes.
 */
export class PlainRows {
  readonly #plan: CsvPlan;
  readonly #clock: SourceClock;
  readonly #readValue: ReadValue;
  readonly #delimiter: number;
  /** Where the cells of the row end. */
  readonly #ends: Int32Array;
  readonly #known: readonly (Known | undefined)[][];
  readonly #row: { time: string; instant: Instant | undefined; values: Value[] };

  /** @returns undefined for plans whose rows need more looking at. */
  static of(plan: CsvPlan, clock: SourceClock, readValue: ReadValue): PlainRows | undefined {
    const simple = !plan.long && !plan.only && plan.empty.length === 0 && plan.device === undefined;
    return simple ? new PlainRows(plan, clock, readValue) : undefined;
  }

  private constructor(plan: CsvPlan, clock: SourceClock, readValue: ReadValue) {
    this.#plan = plan;
    this.#clock = clock;
    this.#readValue = readValue;
    this.#delimiter = plan.delimiter.charCodeAt(0);
    this.#ends = new Int32Array(plan.header.length);
    const tables = new Map(plan.columns.map(({ missing }) => [missing, new Array<Known | undefined>(KEPT)]));
    this.#known = plan.columns.map(({ missing }) => tables.get(missing) as (Known | undefined)[]);
    this.#row = { time: "", instant: undefined, values: [] };
  }

  /** @returns undefined when the line is not plain, or holds what must be refused. */
  read(bytes: Buffer, from: number, lineEnd: number): PlainRow | undefined {
    const end = lineEnd > from && bytes[lineEnd - 1] === 0x0d ? lineEnd - 1 : lineEnd;
    if (!this.#split(bytes, from, end)) return undefined;
    const { columns, time } = this.#plan;
    const timed = this.#clock.read(bytes.toString("latin1", this.#startOf(time.index, from), this.#ends[time.index]));
    if (!isTimed(timed)) return undefined;
    const row = this.#row;
    for (let i = 0; i < columns.length; i++) {
      const value = this.#valueOf(bytes, from, i);
      if (!value) return undefined;
      row.values[i] = value;
    }
    row.time = timed.time;
    row.instant = timed.instant;
    return row as PlainRow;
  }

  #startOf(index: number, from: number): number {
    return index === 0 ? from : (this.#ends[index - 1] as number) + 1;
  }

  #split(bytes: Buffer, from: number, end: number): boolean {
    const ends = this.#ends;
    let cell = 0;
    let start = from;
    for (let at = from; at <= end; at++) {
      const code = at === end ? this.#delimiter : (bytes[at] as number);
      if (code === this.#delimiter) {
        if (cell === ends.length || (at > start && (bytes[start] === SPACE || bytes[at - 1] === SPACE))) return false;
        ends[cell++] = at;
        start = at + 1;
      } else if (code < SPACE || code > LAST || code === QUOTE) return false;
    }
    return cell === ends.length;
  }

  #valueOf(bytes: Buffer, from: number, column: number): Value | undefined {
    const { index, missing } = this.#plan.columns[column] as PlannedColumn;
    const start = this.#startOf(index, from);
    const end = this.#ends[index] as number;
    if (end - start > LONGEST) return this.#readValue(bytes.toString("latin1", start, end), missing);
    let slot = 0;
    for (let at = start; at < end; at++) slot = (slot * 31 + (bytes[at] as number)) & (KEPT - 1);
    const known = this.#known[column] as (Known | undefined)[];
    const kept = known[slot];
    if (kept && isText(kept.text, bytes, start, end)) return kept.value;
    const text = bytes.toString("latin1", start, end);
    const value = this.#readValue(text, missing);
    if (value) known[slot] = { text, value };
    return value;
  }
}

function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start, i = 0; at < end; at++, i++) if (text.charCodeAt(i) !== bytes[at]) return false;
  return true;
}
