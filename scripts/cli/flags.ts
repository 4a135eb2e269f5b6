import type { Audited } from "../../src/auditor/audited.ts";
import type { OptionSpec } from "./command.ts";
import { count } from "./times.ts";

/** What asks for implausible readings. */
export const PLAUSIBLE: Readonly<Record<string, OptionSpec>> = {
  plausible: {
    type: "boolean",
    help: "with keys to read: also flag readings that no body can have, or in a unit that does not fit; takes three times as long",
  },
};

const MOST_FLAGS = 20;

/** Implausible readings, for people; JSON has them all. */
export function flagLines(audited: Audited): string[] {
  if (audited.kind !== "window" || !audited.flags) return [];
  const { flags } = audited;
  if (flags.length === 0) return ["  of the readings checked none is implausible"];
  const more = flags.length - MOST_FLAGS;
  return [
    `  ${count(flags.length, "reading")} that no body can have, as signed: look at the sensor`,
    ...flags.slice(0, MOST_FLAGS).map(({ kind, time, code, unit, value, batch }) => {
      const what = kind === "unit" ? `the unit ${unit || "1"} does not fit ${code}` : `${code} ${value} ${unit}`;
      return `  IMPLAUSIBLE: ${time}  ${what}, in batch ${batch}`;
    }),
    ...(more > 0 ? [`  … and ${more.toLocaleString("en")} more; --json lists all`] : []),
  ];
}
