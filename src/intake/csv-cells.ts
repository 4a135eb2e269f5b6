import { parse } from "csv-parse/sync";
import type { Delimiter } from "./mapping.ts";
import type { Problem } from "./types.ts";

const OPTIONS = { quote: '"', relax_column_count: true, record_delimiter: "\n", max_record_size: 0 } as const;

/**
 * The cells of one line. A line is a row: a line break inside quotes is refused, so that a stray quote spoils one line and not what
 * follows it. Blanks around a cell are padding.
 */
export function splitCells(line: string, delimiter: Delimiter): string[] | Problem {
  if (!line.includes('"')) return line.split(delimiter).map(trim);
  try {
    return (parse(line, { ...OPTIONS, delimiter, trim: true })[0] ?? []).map(trim);
  } catch {
    return { code: "ERR_ROW_QUOTES", reason: "the quotes of the line do not match" };
  }
}

const trim = (cell: string): string =>
  isBlank(cell.charCodeAt(0)) || isBlank(cell.charCodeAt(cell.length - 1))
    ? cell.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "")
    : cell;

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
