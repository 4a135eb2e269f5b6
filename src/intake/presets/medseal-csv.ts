import type { Channel } from "../../observation/observation.ts";
import type { TimeKind } from "../clock.ts";
import { indexOf, planColumns, quoteName, type CsvPlan, type Preset, type Refuse } from "../csv-plan.ts";
import { MISSING_CELLS } from "../mapping.ts";
import { LOINC, MDC } from "../units-of-codes.ts";

/** The name of the time column says what its times are. */
const TIMES = new Map<string, TimeKind>([
  ["time", "instant"],
  ["seconds", "seconds"],
  ["local time", "local"],
]);
const ALIASES = new Map([
  ["LOINC", LOINC],
  ["MDC", MDC],
]);
/** `heart rate LOINC 8867-4 [/min]`: any label, the system, the code, and the unit in brackets. */
const CHANNEL = /^(?:.{0,64} )?(LOINC|MDC) ([0-9A-Za-z.-]{1,32}) \[([^ ]{0,64})\]$/;
const LONG = ["system", "code", "unit", "value"];
const missing = new Set<string>(MISSING_CELLS);

const timeColumn = (header: readonly string[]): string | undefined => header.find((name) => TIMES.has(name));

/** Our own form with a column a channel; the header names code and unit, so it needs no mapping. */
export const wide: Preset = {
  name: "medseal-wide",
  matches: (header) => timeColumn(header) !== undefined && header.some((name) => CHANNEL.test(name)),
  plan: (header, refuse) =>
    planColumns(
      header,
      form("medseal-wide", header, refuse),
      (name) => {
        const channel = readChannel(name);
        return channel && { is: "channel", channel, missing };
      },
      refuse,
    ),
};

/** Our own form with a row a value: a time, `system`, `code`, `unit`, `value`, and `device` where there is one. */
export const long: Preset = {
  name: "medseal-long",
  matches: (header) => timeColumn(header) !== undefined && LONG.every((name) => header.includes(name)),
  plan: (header, refuse): CsvPlan => {
    const { preset, delimiter, time } = form("medseal-long", header, refuse);
    const unknown = header.find((name) => ![...LONG, time.column, "device"].includes(name));
    if (unknown !== undefined) refuse(`column ${quoteName(unknown)} is not known to ${preset}`);
    const at = (name: string): number => indexOf(header, name, preset, refuse);
    const columns = { system: at("system"), code: at("code"), unit: at("unit"), value: at("value"), missing };
    const device = header.indexOf("device");
    const plan: CsvPlan = {
      preset,
      delimiter,
      header,
      time: { index: at(time.column), kind: time.kind },
      columns: [],
      long: columns,
      empty: [],
    };
    return device < 0 ? plan : { ...plan, device };
  },
};

/** The URI of a system that a file names by its usual short name. */
export const systemOf = (name: string): string => ALIASES.get(name) ?? name;

function readChannel(name: string): Channel | undefined {
  const [, system = "", code = "", unit = ""] = CHANNEL.exec(name) ?? [];
  return code === "" ? undefined : { code: { system: systemOf(system), code }, unit };
}

function form(
  preset: string,
  header: readonly string[],
  refuse: Refuse,
): { preset: string; delimiter: ","; time: { column: string; kind: TimeKind } } {
  const columns = header.filter((name) => TIMES.has(name));
  const [column = ""] = columns;
  const kind = TIMES.get(column);
  if (kind === undefined || columns.length > 1)
    return refuse(`${preset} needs one column of time, seconds or local time`);
  return { preset, delimiter: ",", time: { column, kind } };
}
