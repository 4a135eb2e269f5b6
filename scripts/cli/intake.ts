import { loadMapping } from "../../src/intake/mapping.ts";
import type { IntakeOptions } from "../../src/intake/types.ts";
import type { Call, OptionSpec } from "./command.ts";
import { userPath } from "./io.ts";

/** How a recording is to be read. */
export const INTAKE: Readonly<Record<string, OptionSpec>> = {
  start: { type: "string", value: "INSTANT", help: "where a file's seconds begin to count, 2026-03-01T08:00:00Z" },
  tz: { type: "string", value: "ZONE", help: "zone of a file's local times, Europe/Berlin" },
  mapping: { type: "string", value: "FILE", help: "what the columns of a CSV of another shape mean" },
};

export async function intakeOptions(call: Call): Promise<IntakeOptions> {
  const [start, zone, mapping] = [call.text("start"), call.text("tz"), call.text("mapping")];
  return {
    ...(start === undefined ? {} : { start }),
    ...(zone === undefined ? {} : { zone }),
    ...(mapping === undefined ? {} : { mapping: await loadMapping(userPath(mapping)) }),
  };
}
