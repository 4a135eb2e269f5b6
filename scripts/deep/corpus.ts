import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRule } from "../../src/alerts/rule-file.ts";
import { parseAccounting } from "../../src/disclosure/accounting.ts";
import { parseJson } from "../../src/intake/json.ts";
import { LIMITS } from "../../src/intake/limits.ts";
import { parseFeed } from "../../src/monitor/feed.ts";
import { parsePlan } from "../../src/monitor/plan.ts";
import { hangWatch, isTyped } from "./verifiers.ts";

/** The corpus of JSON that parsers disagree on, where it is at hand. */
export const CORPUS = join(
  process.env["MEDSEAL_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors"),
  "json-testsuite",
);
export function corpus(): Buffer[] {
  try {
    return readdirSync(CORPUS)
      .filter((file) => file.endsWith(".json"))
      .map((file) => readFileSync(join(CORPUS, file)));
  } catch {
    return [];
  }
}

/** What of ours takes JSON and the independent reader does not know. */
const OTHERS: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  recordings: (bytes) => parseJson(bytes, LIMITS),
  disclosures: (bytes) => parseAccounting(bytes.toString("utf8")),
  rules: (bytes) => parseRule(bytes.toString("utf8")),
  plans: (bytes) => parsePlan(bytes.toString("utf8")),
  feeds: (bytes) => parseFeed(bytes.toString("utf8")),
};

/** What went wrong when our readers were given a text: nothing, or crashes and hangs in words. */
export function readsJson(text: Buffer): string[] {
  return Object.entries(OTHERS).flatMap(([name, read]) => {
    const hangs = hangWatch();
    try {
      read(text);
    } catch (error) {
      if (!isTyped(error)) return [`the reader of ${name} crashed: ${String(error)}`];
    }
    return hangs() ? [`the reader of ${name} hung`] : [];
  });
}
