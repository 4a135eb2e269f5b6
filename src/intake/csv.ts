import { channelKey } from "../observation/observation.ts";
import { clockFor, type SourceClock } from "./clock.ts";
import { splitCells } from "./csv-cells.ts";
import type { CsvPlan, Preset, Refuse } from "./csv-plan.ts";
import { quoteName } from "./csv-plan.ts";
import { csvBatches } from "./csv-rows.ts";
import { InputError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { readLines, type Line } from "./lines.ts";
import { PRESETS } from "./presets/index.ts";
import { mapped } from "./presets/mapped.ts";
import type { Intake, IntakeOptions, IntakeRow } from "./types.ts";
import { unitCheck } from "./ucum.ts";
import { unitFitsCode } from "./units-of-codes.ts";

/** @throws InputError, UsageError as `openIntake` does. */
export async function openCsv(file: string, options: IntakeOptions, limits: Limits): Promise<Intake> {
  const header = await readHeader(file, limits);
  const refuse: Refuse = (reason) => {
    const hint = `known are ${PRESETS.map(({ name }) => name).join(", ")}; for others write a mapping, see examples/README.md`;
    throw new InputError({ code: "ERR_INPUT_COLUMNS", file, line: header.number, reason, hint });
  };
  const plan = planFor(header, options, limits, refuse, file);
  const clock: SourceClock = clockFor(plan.time.kind, file, options, limits);
  checkChannels(plan, file, header.number);
  const channels = plan.columns.map(({ channel }) => channel);
  const batches = (): AsyncGenerator<readonly IntakeRow[]> => csvBatches(file, header, plan, clock, limits);
  return {
    file,
    format: "csv",
    preset: plan.preset,
    clock: clock.clock,
    ...(plan.long ? {} : { channels }),
    async *rows() {
      for await (const rows of batches()) yield* rows;
    },
    batches,
  };
}

/** The first line that is not blank; there must be another one behind it. */
async function readHeader(file: string, limits: Limits): Promise<Line> {
  let header: Line | undefined;
  for await (const lines of readLines(file, limits)) {
    for (const line of lines) {
      if (line.problem === undefined && line.text.trim() === "") continue;
      if (header) return header;
      header = line;
      if (line.problem) {
        const code = line.problem.code === "ERR_ROW_TOO_LONG" ? "ERR_INPUT_LIMIT" : "ERR_INPUT_ENCODING";
        throw new InputError({ code, file, line: line.number, reason: line.problem.reason });
      }
    }
  }
  const reason = header ? "the file has a header and no rows" : "the file holds nothing but blanks";
  throw new InputError({ code: "ERR_INPUT_EMPTY", file, ...(header ? { line: header.number } : {}), reason });
}

function planFor(line: Line, options: IntakeOptions, limits: Limits, refuse: Refuse, file: string): CsvPlan {
  const header = splitCells(line.text, options.mapping?.delimiter ?? ",");
  if ("code" in header) return refuse(header.reason);
  if (header.length > limits.columns) {
    const reason = `the header has ${header.length} columns, more than ${limits.columns}`;
    throw new InputError({ code: "ERR_INPUT_LIMIT", file, line: line.number, reason });
  }
  const preset: Preset | undefined = options.mapping
    ? mapped(options.mapping)
    : PRESETS.find((known) => known.matches(header));
  if (!preset) return refuse("the header is of no known form");
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) refuse(`column ${quoteName(twice)} stands twice`);
  return preset.plan(header, refuse);
}

/** Refuses units that UCUM does not know, units that do not fit their code, and two columns of one channel. */
function checkChannels(plan: CsvPlan, file: string, line: number): void {
  const known = unitCheck();
  const seen = new Map<string, string>();
  const fail = (code: "ERR_INPUT_UNIT" | "ERR_INPUT_COLUMNS", reason: string): never => {
    throw new InputError({ code, file, line, reason });
  };
  for (const { name, channel } of plan.columns) {
    if (channel.unit !== "" && !known(channel.unit)) {
      fail("ERR_INPUT_UNIT", `the unit of column ${quoteName(name)} is not a UCUM code`);
    }
    if (!unitFitsCode(channel)) fail("ERR_INPUT_UNIT", `the unit of column ${quoteName(name)} does not fit its code`);
    const other = seen.get(channelKey(channel));
    if (other !== undefined)
      fail("ERR_INPUT_COLUMNS", `columns ${quoteName(other)} and ${quoteName(name)} are one channel`);
    seen.set(channelKey(channel), name);
  }
}
