import type { Channel, Observation, Value } from "../observation/observation.ts";
import { isTimed, type SourceClock, type Timed } from "./clock.ts";
import { splitCells } from "./csv-cells.ts";
import { PlainRows, type PlainRow } from "./csv-plain.ts";
import { quoteName, type CsvPlan, type LongColumns, type PlannedColumn } from "./csv-plan.ts";
import { isDecimal } from "./decimal.ts";
import { InputError } from "./errors.ts";
import { NAME_LENGTH, type Limits } from "./limits.ts";
import { lineAt, readSlabs, type Line, type Slab } from "./lines.ts";
import { risingOrder, type TimeOrder } from "./order.ts";
import { systemOf } from "./presets/medseal-csv.ts";
import type { IntakeRow, ObservationRow, Problem, SourcePosition } from "./types.ts";
import { unitCheck, type UnitCheck } from "./ucum.ts";
import { unitFitsCode } from "./units-of-codes.ts";

interface Context {
  readonly file: string;
  readonly plan: CsvPlan;
  readonly clock: SourceClock;
  readonly limits: Limits;
  readonly order: TimeOrder;
  readonly unitKnown: UnitCheck;
  /** Values by their text, for each set of markers: the values of a sensor are few and come again and again. */
  readonly values: Map<ReadonlySet<string>, Map<string, Value>>;
}

/** Values kept of each set of markers, and the characters of the longest. */
const KEPT_VALUES = { count: 4096, length: 12 };

/** @throws InputError when the header is not the one that was planned for. */
export async function* csvBatches(
  file: string,
  header: Line,
  plan: CsvPlan,
  clock: SourceClock,
  limits: Limits,
): AsyncGenerator<readonly IntakeRow[]> {
  const context: Context = {
    file,
    plan,
    clock,
    limits,
    order: risingOrder(limits),
    unitKnown: unitCheck(),
    values: new Map(),
  };
  const plain = PlainRows.of(plan, clock, (text, missing) => valueOf(text, missing, context));
  for await (const part of readSlabs(file, limits)) {
    const rows: IntakeRow[] = [];
    if ("bytes" in part) takeSlab(part, header, plain, context, rows);
    else takeAny(part, header, context, rows);
    if (rows.length > 0) yield rows;
  }
}

/** Takes whole lines: behind the header straight from their bytes, where that is possible. */
function takeSlab(
  { number: first, bytes }: Slab,
  header: Line,
  plain: PlainRows | undefined,
  context: Context,
  rows: IntakeRow[],
): void {
  const { limits } = context;
  let number = first;
  for (let from = 0, end = bytes.indexOf(0x0a); end >= 0; from = end + 1, end = bytes.indexOf(0x0a, from), number++) {
    const readable = plain && number > header.number && end - from <= limits.line;
    const row = readable ? plain.read(bytes, from, end) : undefined;
    if (row) takeRow(row, () => lineAt(bytes, from, end, number, limits), number, context, rows);
    else takeAny(lineAt(bytes, from, end, number, limits), header, context, rows);
  }
}

function takeAny(line: Line, header: Line, context: Context, rows: IntakeRow[]): void {
  if (line.number > header.number) return takeLine(line, context, rows);
  if (line.number === header.number && line.text !== header.text) {
    const { file } = context;
    const reason = "the file changed while it was read";
    throw new InputError({ code: "ERR_INPUT_CHANGED", file, line: line.number, reason });
  }
}

function takeRow(row: PlainRow, line: () => Line, number: number, context: Context, rows: IntakeRow[]): void {
  const { file, plan, order } = context;
  const { time, instant, values } = row;
  for (let i = 0; i < plan.columns.length; i++) {
    const { channel, index, name } = plan.columns[i] as PlannedColumn;
    const late = order.admit(channel, instant);
    const value = values[i] as Value;
    if (late) rows.push(quarantine(line(), context, late, index));
    else rows.push(new CsvReading(channel, time, value, file, number, name));
  }
}

/** A reading that is its own row: of a large file one object is made for each and not three. */
class CsvReading implements ObservationRow, Observation {
  readonly channel: Channel;
  readonly time: string;
  readonly status = "final";
  readonly value: Value;
  readonly #file: string;
  readonly #line: number;
  readonly #column: string;

  constructor(channel: Channel, time: string, value: Value, file: string, line: number, column: string) {
    this.channel = channel;
    this.time = time;
    this.value = value;
    this.#file = file;
    this.#line = line;
    this.#column = column;
  }

  get kind(): "observation" {
    return "observation";
  }

  get observation(): Observation {
    return this;
  }

  get at(): SourcePosition {
    return { file: this.#file, line: this.#line, column: this.#column };
  }
}

/** Takes everything one line holds. A line with nothing but blanks holds nothing. */
function takeLine(line: Line, context: Context, rows: IntakeRow[]): void {
  const { plan, clock } = context;
  const refuse = (problem: Problem, column?: number): void =>
    void rows.push(quarantine(line, context, problem, column));
  if (line.problem) return refuse(line.problem);
  if (line.text.trim() === "") return;
  const cells = splitCells(line.text, plan.delimiter);
  if (!Array.isArray(cells)) return refuse(cells);
  if (cells.length !== plan.header.length) {
    const reason = `the row has ${cells.length} cells, the header ${plan.header.length}`;
    return refuse({ code: "ERR_ROW_COLUMNS", reason });
  }
  if (plan.only && cells[plan.only.index] !== plan.only.text) {
    const column = quoteName(plan.header[plan.only.index] ?? "");
    return refuse(
      { code: "ERR_ROW_KIND", reason: `${column} is not ${plan.only.text}: not a reading` },
      plan.only.index,
    );
  }
  const timed = clock.read(cells[plan.time.index] ?? "");
  if (!isTimed(timed)) return refuse(timed, plan.time.index);
  for (const index of plan.empty) {
    if (cells[index] === "") continue;
    refuse(
      {
        code: "ERR_CELL_UNEXPECTED",
        reason: `${quoteName(plan.header[index] ?? "")} is not kept, yet holds something`,
      },
      index,
    );
  }
  if (plan.long) return void rows.push(longRow(line, cells, timed, plan.long, context));
  for (const column of plan.columns) rows.push(takeIn(line, cells, timed, column, context));
}

function longRow(line: Line, cells: readonly string[], timed: Timed, at: LongColumns, context: Context): IntakeRow {
  const refuse = (problem: Problem, column: number): IntakeRow => quarantine(line, context, problem, column);
  const [system, code, unit] = [systemOf(cells[at.system] ?? ""), cells[at.code] ?? "", cells[at.unit] ?? ""];
  if (system === "" || code === "" || system.length > NAME_LENGTH || code.length > NAME_LENGTH) {
    return refuse({ code: "ERR_CODE", reason: "code or code system is empty or too long" }, at.code);
  }
  const channel: Channel = { code: { system, code }, unit };
  if (unit !== "" && !context.unitKnown(unit))
    return refuse({ code: "ERR_UNIT", reason: "the unit is not a UCUM code" }, at.unit);
  if (!unitFitsCode(channel))
    return refuse({ code: "ERR_UNIT_OF_CODE", reason: "the unit does not fit the code" }, at.unit);
  return takeIn(line, cells, timed, { index: at.value, channel, missing: at.missing }, context);
}

interface Cell {
  readonly index: number;
  readonly channel: Channel;
  readonly missing: ReadonlySet<string>;
}

function takeIn(line: Line, cells: readonly string[], timed: Timed, cell: Cell, context: Context): IntakeRow {
  const { file, plan, order } = context;
  const value = valueOf(cells[cell.index] ?? "", cell.missing, context);
  if (!value) {
    const reason = `${quoteName(plan.header[cell.index] ?? "")} holds no number`;
    return quarantine(line, context, { code: "ERR_NUMBER", reason }, cell.index);
  }
  const late = order.admit(cell.channel, timed.instant);
  if (late) return quarantine(line, context, late, cell.index);
  const device = plan.device === undefined ? "" : (cells[plan.device] ?? "").slice(0, NAME_LENGTH);
  return {
    kind: "observation",
    observation: { channel: cell.channel, time: timed.time, status: "final", value },
    at: position(file, line, plan.header[cell.index]),
    ...(device === "" ? {} : { device }),
  };
}

function valueOf(text: string, missing: ReadonlySet<string>, { limits, values }: Context): Value | undefined {
  let known = values.get(missing);
  if (!known) values.set(missing, (known = new Map<string, Value>()));
  let value = known.get(text);
  if (value) return value;
  value = readValue(text, missing, limits);
  if (value && known.size < KEPT_VALUES.count && text.length <= KEPT_VALUES.length) known.set(text, value);
  return value;
}

/** Markers come first, so that a mapping may name a number, such as -999, as one. */
function readValue(text: string, missing: ReadonlySet<string>, limits: Limits): Value | undefined {
  if (missing.has(text)) return { kind: "missing", reason: text === "NaN" ? "not-a-number" : "unknown", source: text };
  return isDecimal(text, limits.decimal) ? { kind: "quantity", decimal: text, comparator: "" } : undefined;
}

function quarantine(line: Line, { file, plan, limits }: Context, problem: Problem, column?: number): IntakeRow {
  const at = position(file, line, column === undefined ? undefined : plan.header[column]);
  return { kind: "quarantined", at, ...problem, text: line.text.slice(0, limits.quarantineText) };
}

const position = (file: string, line: Line, column: string | undefined): IntakeRow["at"] =>
  column === undefined ? { file, line: line.number } : { file, line: line.number, column };
