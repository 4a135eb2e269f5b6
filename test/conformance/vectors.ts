import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { fromHex } from "../../src/bytes/bytes.ts";

/** Where the published vectors lie; see the README of that folder. */
export const VECTORS = resolve(process.env["MEDSEAL_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors"));

/** A file or folder of vectors; skips the whole suite, and says so, when it is absent. */
export function vectorPath(context: Mocha.Context, ...path: string[]): string {
  const file = join(VECTORS, ...path);
  if (!existsSync(file)) {
    console.log(`      skipped: no ${path.join("/")} in the folder of vectors; set MEDSEAL_VECTORS`);
    context.skip();
  }
  return file;
}

export function readJson<T>(file: string): T {
  const bytes = readFileSync(file);
  return JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")) as T;
}

/** Fails a run of no cases: it would show nothing. */
export function report(what: string, run: number, leftOut: number, why: string): void {
  console.log(`      ${what}: ${run} cases run, ${leftOut} left out${leftOut === 0 ? "" : ` (${why})`}`);
  if (run === 0) throw new Error(`${what}: no case was run`);
}

export const bytes = (hex: string): Uint8Array => fromHex(hex);

export interface WycheproofGroup<T> {
  readonly tests: readonly T[];
}

export interface WycheproofCase {
  readonly tcId: number;
  readonly result: "valid" | "invalid" | "acceptable";
  readonly flags: readonly string[];
}
