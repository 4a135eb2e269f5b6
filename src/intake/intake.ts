import { UsageError } from "../errors.ts";
import { openCsv } from "./csv.ts";
import { InputError } from "./errors.ts";
import { openFhir } from "./fhir.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { checkFile, readHead } from "./source.ts";
import type { Intake, IntakeFormat, IntakeOptions } from "./types.ts";

/**
 * Recognises a user's file and opens it for reading. Rows that cannot be taken in come as quarantined rows, with file, line and
 * reason; only what concerns the whole file is thrown.
 *
 * @throws InputError when the file cannot be read at all: unreadable, empty, another encoding, unknown columns or units.
 * @throws UsageError when it needs a start, a zone or neither, and the options say otherwise.
 */
export async function openIntake(file: string, options: IntakeOptions = {}): Promise<Intake> {
  const limits: Limits = { ...LIMITS, ...options.limits };
  await checkFile(file);
  const head = await readHead(file);
  const format = formatOf(file, head);
  if (format === "csv") return openCsv(file, options, limits);
  if (options.mapping) {
    throw new UsageError(`${file} is JSON, so a mapping of columns does not apply`, { hint: "leave the mapping out" });
  }
  return openFhir(file, format, options, limits);
}

/** Told by content; the ending decides only between one document and one a line. */
function formatOf(file: string, head: Buffer): IntakeFormat {
  const text = head.toString("latin1");
  const first = text.trimStart()[0];
  if (first === "[") {
    const reason = "the file is a JSON list, not a FHIR Bundle, Observation or NDJSON";
    throw new InputError({ code: "ERR_INPUT_FORMAT", file, line: 1, reason });
  }
  if (first === "<")
    throw new InputError({
      code: "ERR_INPUT_FORMAT",
      file,
      line: 1,
      reason: "the file is XML; only JSON and CSV are read",
    });
  if (first !== "{") return "csv";
  return /\.(ndjson|jsonl)$/i.test(file) || /^\s*\{[^\n]*\}[ \t\r]*\n\s*\{/.test(text) ? "fhir-ndjson" : "fhir-json";
}
