import { UsageError } from "../errors.ts";
import { InputError } from "./errors.ts";
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from "./json.ts";
import { LIMITS, NAME_LENGTH } from "./limits.ts";
import { readChunks } from "./source.ts";
import type { TimeKind } from "./clock.ts";
import type { Code } from "../observation/observation.ts";

export const MAPPING_FORMAT = "medseal-mapping/1";
export const DELIMITERS = [",", ";", "\t", "|"] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** One column that holds the values of one channel. */
export interface MappedColumn {
  readonly column: string;
  readonly system: string;
  readonly code: string;
  /** UCUM code; `""` for values without a unit. */
  readonly unit: string;
  readonly component?: Code;
  /** Cells that mark a value as absent, exactly as they stand. By default the empty cell and `NaN`. */
  readonly missing?: readonly string[];
}

/** What the columns of a CSV mean. Columns that are neither mapped nor ignored are refused. */
export interface Mapping {
  readonly format: typeof MAPPING_FORMAT;
  /** A comma by default. */
  readonly delimiter?: Delimiter;
  readonly time: { readonly column: string; readonly kind: TimeKind };
  readonly columns: readonly MappedColumn[];
  /** Columns that hold nothing to keep. */
  readonly ignore?: readonly string[];
}

export const MISSING_CELLS = ["", "NaN"] as const;
const LARGEST_MAPPING = 1 << 20;

/** @throws InputError unless the file is JSON that follows the schema of a mapping exactly. */
export async function loadMapping(file: string): Promise<Mapping> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(file)) {
    size += chunk.length;
    if (size > LARGEST_MAPPING) throw malformed(file, "the mapping is larger than 1 MiB");
    chunks.push(chunk);
  }
  const parsed = parseJson(Buffer.concat(chunks), LIMITS);
  if (!parsed.ok) {
    throw new InputError({ code: "ERR_INPUT_MAPPING", file, line: parsed.line, reason: parsed.problem.reason });
  }
  return readMapping(parsed.value, (reason) => {
    throw malformed(file, reason);
  });
}

const malformed = (file: string, reason: string): InputError =>
  new InputError({ code: "ERR_INPUT_MAPPING", file, reason, hint: "see examples/README.md for the form of a mapping" });

type Fail = (reason: string) => never;

/** Checks a mapping that was built in code as strictly as one from a file. */
export function checkMapping(mapping: Mapping): Mapping {
  const plain = JSON.parse(JSON.stringify(mapping)) as JsonValue;
  return readMapping(plain, (reason) => {
    throw new UsageError(`the mapping is malformed: ${reason}`);
  });
}

function readMapping(value: JsonValue, fail: Fail): Mapping {
  const top = members(value, "mapping", ["format", "time", "columns"], ["delimiter", "ignore"], fail);
  if (top["format"] !== MAPPING_FORMAT) fail(`"format" is not "${MAPPING_FORMAT}"`);
  const delimiter = DELIMITERS.find((known) => known === top["delimiter"]);
  if (top["delimiter"] !== undefined && delimiter === undefined) fail('"delimiter" is none of , ; | or a tab');
  const time = members(top["time"], "time", ["column", "kind"], [], fail);
  const kind = (["instant", "seconds", "local"] as const).find((known) => known === time["kind"]);
  if (kind === undefined) return fail('"time.kind" is none of instant, seconds, local');
  const mapping: Mapping = {
    format: MAPPING_FORMAT,
    ...(delimiter === undefined ? {} : { delimiter }),
    time: { column: name(time["column"], "time.column", fail), kind },
    columns: list(top["columns"], "columns", fail).map((column, i) => readColumn(column, `columns[${i}]`, fail)),
    ...(top["ignore"] === undefined
      ? {}
      : { ignore: list(top["ignore"], "ignore", fail).map((entry, i) => name(entry, `ignore[${i}]`, fail)) }),
  };
  const names = [mapping.time.column, ...mapping.columns.map(({ column }) => column), ...(mapping.ignore ?? [])];
  if (mapping.columns.length === 0) fail('"columns" is empty');
  if (new Set(names).size !== names.length) fail("a column is named twice");
  return mapping;
}

function readColumn(value: JsonValue, at: string, fail: Fail): MappedColumn {
  const found = members(value, at, ["column", "system", "code", "unit"], ["component", "missing"], fail);
  const component =
    found["component"] === undefined
      ? undefined
      : members(found["component"], `${at}.component`, ["system", "code"], [], fail);
  return {
    column: name(found["column"], `${at}.column`, fail),
    system: name(found["system"], `${at}.system`, fail),
    code: name(found["code"], `${at}.code`, fail),
    unit: text(found["unit"], `${at}.unit`, fail),
    ...(component === undefined
      ? {}
      : {
          component: {
            system: name(component["system"], `${at}.component.system`, fail),
            code: name(component["code"], `${at}.component.code`, fail),
          },
        }),
    ...(found["missing"] === undefined
      ? {}
      : {
          missing: list(found["missing"], `${at}.missing`, fail).map((cell, i) =>
            text(cell, `${at}.missing[${i}]`, fail),
          ),
        }),
  };
}

function members(
  value: JsonValue | undefined,
  at: string,
  needed: readonly string[],
  optional: readonly string[],
  fail: Fail,
): JsonObject {
  if (!isJsonObject(value)) return fail(`"${at}" is not an object`);
  const unknown = Object.keys(value).find((key) => !needed.includes(key) && !optional.includes(key));
  if (unknown !== undefined) fail(`"${at}" has a member that no mapping has`);
  const absent = needed.find((key) => !Object.hasOwn(value, key));
  if (absent !== undefined) fail(`"${at}" lacks "${absent}"`);
  return value;
}

const list = (value: JsonValue | undefined, at: string, fail: Fail): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : fail(`"${at}" is not a list`);

function text(value: JsonValue | undefined, at: string, fail: Fail): string {
  if (typeof value !== "string") return fail(`"${at}" is not text`);
  return value.length > NAME_LENGTH ? fail(`"${at}" is longer than ${NAME_LENGTH} characters`) : value;
}

function name(value: JsonValue | undefined, at: string, fail: Fail): string {
  const found = text(value, at, fail);
  return found === "" ? fail(`"${at}" is empty`) : found;
}
