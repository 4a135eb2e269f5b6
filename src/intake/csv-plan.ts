import type { Channel } from "../observation/observation.ts";
import type { TimeKind } from "./clock.ts";
import type { Delimiter } from "./mapping.ts";

export interface PlannedColumn {
  readonly index: number;
  readonly name: string;
  readonly channel: Channel;
  readonly missing: ReadonlySet<string>;
}

/** How the rows of one CSV become observations; indexes count the columns of its header from 0. */
export interface CsvPlan {
  readonly preset: string;
  readonly delimiter: Delimiter;
  readonly header: readonly string[];
  readonly time: { readonly index: number; readonly kind: TimeKind };
  /** A column a channel. Empty in the long form, where each row names its own. */
  readonly columns: readonly PlannedColumn[];
  readonly long?: LongColumns;
  /** Rows count only where this column holds this text. */
  readonly only?: { readonly index: number; readonly text: string };
  /** Columns that must be empty in rows that count: what stands there would be lost. */
  readonly empty: readonly number[];
  readonly device?: number;
}

export interface LongColumns {
  readonly system: number;
  readonly code: number;
  readonly unit: number;
  readonly value: number;
  readonly missing: ReadonlySet<string>;
}

/** Refuses the header; never returns. */
export type Refuse = (reason: string) => never;

/** A form of CSV that is known by its header. */
export interface Preset {
  readonly name: string;
  /** Whether the header is meant to be of this form; `plan` then refuses what does not fit. */
  matches(header: readonly string[]): boolean;
  plan(header: readonly string[], refuse: Refuse): CsvPlan;
}

/** What a column is for. */
export type ColumnRole =
  | { readonly is: "channel"; readonly channel: Channel; readonly missing: ReadonlySet<string> }
  | { readonly is: "ignored" | "empty" | "device" };

/**
 * Gives each column of a header its role.
 *
 * @param roleOf - Undefined for a column that the form does not know.
 */
export function planColumns(
  header: readonly string[],
  form: Pick<CsvPlan, "preset" | "delimiter"> & { readonly time: { readonly column: string; readonly kind: TimeKind } },
  roleOf: (column: string) => ColumnRole | undefined,
  refuse: Refuse,
): CsvPlan {
  const index = indexOf(header, form.time.column, form.preset, refuse);
  const columns: PlannedColumn[] = [];
  const empty: number[] = [];
  let device: number | undefined;
  header.forEach((name, i) => {
    if (i === index) return;
    const role = roleOf(name);
    if (!role) return refuse(`column ${quoteName(name)} is not known to ${form.preset}`);
    if (role.is === "channel") columns.push({ index: i, name, channel: role.channel, missing: role.missing });
    else if (role.is === "empty") empty.push(i);
    else if (role.is === "device") device = i;
  });
  if (columns.length === 0) refuse(`${form.preset} finds no column with values`);
  const { preset, delimiter, time } = form;
  const plan: CsvPlan = { preset, delimiter, header, time: { index, kind: time.kind }, columns, empty };
  return device === undefined ? plan : { ...plan, device };
}

export function indexOf(header: readonly string[], name: string, preset: string, refuse: Refuse): number {
  const index = header.indexOf(name);
  return index < 0 ? refuse(`${preset} needs a column ${quoteName(name)}`) : index;
}

/** A header's name as it may stand in a message. */
export const quoteName = (name: string): string => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
