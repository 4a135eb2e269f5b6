import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openIntake } from "../../../src/intake/intake.ts";
import type { Intake, IntakeOptions, ObservationRow, QuarantinedRow } from "../../../src/intake/types.ts";
import type { Observation } from "../../../src/observation/observation.ts";

const root = new URL("../../../", import.meta.url).pathname;
export const DATA = process.env["MEDSEAL_DATA"] ?? join(root, "../shared/data");
export const VECTORS = process.env["MEDSEAL_VECTORS"] ?? join(root, "../shared/vectors");
export const EXAMPLES = join(root, "examples");

/** Skips the running test, aloud, where published material is absent. */
export function needs(context: Mocha.Context, path: string): void {
  if (existsSync(path)) return;
  console.log(`      skipped: ${path} is absent`);
  context.skip();
}

/** A folder for the files of one test file; removed behind it. */
export function folder(): {
  write(name: string, content: string | Uint8Array): Promise<string>;
  path(name: string): string;
} {
  let home = "";
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "medseal-intake-"));
  });
  after(() => rm(home, { recursive: true }));
  const path = (name: string): string => join(home, name);
  return {
    path,
    async write(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
  };
}

export interface Taken {
  readonly intake: Intake;
  readonly observations: ObservationRow[];
  readonly quarantined: QuarantinedRow[];
  readonly readings: number;
  readonly missing: number;
}

/** Reads a file to its end. */
export async function take(file: string, options: IntakeOptions = {}): Promise<Taken> {
  const intake = await openIntake(file, options);
  const observations: ObservationRow[] = [];
  const quarantined: QuarantinedRow[] = [];
  for await (const row of intake.rows()) {
    if (row.kind === "observation") observations.push(row);
    else quarantined.push(row);
  }
  const missing = observations.filter(({ observation }) => observation.value.kind === "missing").length;
  return { intake, observations, quarantined, missing, readings: observations.length - missing };
}

/** The text of a value as it stood in the source. */
export function sourceText({ value }: Observation): string {
  if (value.kind === "quantity") return value.decimal;
  if (value.kind === "missing") return value.source;
  return value.kind === "boolean" ? String(value.value) : value.sampled.data;
}

/** `line code column-or-path`, for comparing at a glance. */
export const refusals = ({ quarantined }: Taken): string[] =>
  quarantined.map(({ at, code }) => [at.line, code, at.column ?? at.path ?? ""].join(" ").trimEnd());

/** The error that a promise ends with; an own message when it does not fail. */
export async function failure(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; line?: number; exit?: number; hint?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  return new Error("nothing was thrown");
}
