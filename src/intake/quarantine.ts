import { open } from "node:fs/promises";
import { UsageError } from "../errors.ts";
import type { IntakeRow, QuarantinedRow } from "./types.ts";

/** Only its owner may read a quarantine file: it holds rows of health data as they stood. */
const OWNER_ONLY = 0o600;
const COLUMNS = ["file", "line", "column", "path", "code", "reason", "text"] as const;

/**
 * Writes the quarantined rows, as CSV when the name ends so, otherwise as NDJSON, and passes over the others.
 *
 * @param file - Must not exist: nothing is overwritten.
 * @returns how many rows were written.
 * @throws UsageError when the file cannot be created.
 */
export async function exportQuarantine(
  rows: Iterable<IntakeRow> | AsyncIterable<IntakeRow>,
  file: string,
): Promise<number> {
  const csv = /\.csv$/i.test(file);
  const handle = await open(file, "wx", OWNER_ONLY).catch((cause: unknown) => {
    const hint = "name a file that does not exist yet, in a folder that does";
    throw new UsageError(`${file} cannot be created`, { hint, cause });
  });
  let count = 0;
  try {
    if (csv) await handle.write(`${COLUMNS.join(",")}\r\n`);
    for await (const row of rows) {
      if (row.kind !== "quarantined") continue;
      await handle.write(csv ? csvLine(row) : `${JSON.stringify(fields(row))}\n`);
      count++;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return count;
}

const fields = ({ at, code, reason, text }: QuarantinedRow): Record<(typeof COLUMNS)[number], string | number> => ({
  file: at.file,
  line: at.line,
  column: at.column ?? "",
  path: at.path ?? "",
  code,
  reason,
  text,
});

const csvLine = (row: QuarantinedRow): string => `${Object.values(fields(row)).map(csvCell).join(",")}\r\n`;

/** A spreadsheet runs a cell that begins like a formula; an apostrophe in front makes it text (OWASP, CSV injection). */
function csvCell(value: string | number): string {
  const text = String(value);
  const safe = /^\s*[=+\-@]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
