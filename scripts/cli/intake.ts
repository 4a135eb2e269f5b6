import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { UsageError } from "../../src/errors.ts";
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

/**
 * The files of these names; `-` is what comes on standard input. As a recording is read more than once, that lies in a folder for its owner only
 * until the work is done.
 *
 * @throws UsageError.
 */
export async function withRecordings<T>(
  names: readonly string[],
  work: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  if (!names.includes("-")) return work(names.map(userPath));
  if (names.indexOf("-") !== names.lastIndexOf("-")) throw new UsageError("standard input can be read once only");
  const folder = await mkdtemp(join(tmpdir(), "medseal-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Of a process that is interrupted as well.
  process.once("exit", remove);
  try {
    const file = join(folder, "standard-input");
    await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
    return await work(names.map((name) => (name === "-" ? file : userPath(name))));
  } finally {
    process.off("exit", remove);
    remove();
  }
}
