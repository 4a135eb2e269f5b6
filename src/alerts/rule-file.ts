import { MalformedError } from "../errors.ts";
import { RuleInvalidError } from "./errors.ts";
import { checkRule } from "./limits.ts";
import { COMPARATORS, INT64_MAX, INT64_MIN, KINDS, type Band, type Input, type Response, type Rule } from "./rule.ts";

const FORMAT = "medseal-rule";

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a rule as people write it: docs/formats.md, section 25. What a kind does not use may be left out.
 *
 * @throws MalformedError on unknown or missing fields, RuleInvalidError when the rule breaks a limit.
 */
export function parseRule(text: string): Rule {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return fail("not JSON");
  }
  const { format, version, rule } = fieldsOf(file, ["format", "version", "rule"]);
  if (format !== FORMAT || version !== 1) return fail(`not a ${FORMAT}, version 1`);
  const parsed = ruleFrom(rule);
  checkRule(parsed);
  return parsed;
}

/** A rule as `parseRule` reads it. @throws RuleInvalidError, also for a number that JSON cannot hold. */
export function formatRule(rule: Rule): string {
  checkRule(rule);
  const number = (value: bigint): number => {
    const text = Number(value);
    if (!Number.isSafeInteger(text)) throw new RuleInvalidError("number", "must be within 2^53 to stand in a file");
    return text;
  };
  const bound = (value: bigint): number | null => (value === INT64_MIN || value === INT64_MAX ? null : number(value));
  const { trigger, inputs } = rule;
  const fields = {
    ...rule,
    inputs: inputs.map(({ bands, ...input }) => ({
      ...input,
      bands: bands.map(({ low, high, score, when }) => ({
        ...{ low: bound(low), high: bound(high), score },
        ...(when && { when: { input: when.input, low: bound(when.low), high: bound(when.high) } }),
      })),
    })),
    trigger: { ...trigger, threshold: number(trigger.threshold), hysteresis: number(trigger.hysteresis) },
  };
  return `${JSON.stringify({ format: FORMAT, version: 1, rule: fields }, undefined, 2)}\n`;
}

function ruleFrom(value: unknown): Rule {
  const fields = fieldsOf(
    value,
    ["name", "version", "kind", "inputs", "trigger"],
    ["window", "minSpan", "per", "readings", "responses"],
  );
  const trigger = fieldsOf(fields["trigger"], ["comparator", "threshold"], ["hysteresis", "raiseAfter", "clearAfter"]);
  return {
    name: textOf(fields["name"]),
    version: numberOf(fields["version"]),
    kind: oneOf(KINDS, fields["kind"]),
    inputs: listOf(fields["inputs"]).map(inputFrom),
    trigger: {
      comparator: oneOf(COMPARATORS, trigger["comparator"]),
      threshold: BigInt(numberOf(trigger["threshold"])),
      hysteresis: BigInt(numberOf(trigger["hysteresis"] ?? 0)),
      raiseAfter: numberOf(trigger["raiseAfter"] ?? 0),
      clearAfter: numberOf(trigger["clearAfter"] ?? 0),
    },
    window: numberOf(fields["window"] ?? 0),
    minSpan: numberOf(fields["minSpan"] ?? 0),
    per: numberOf(fields["per"] ?? 0),
    readings: numberOf(fields["readings"] ?? 0),
    responses: listOf(fields["responses"] ?? []).map(responseFrom),
  };
}

function inputFrom(value: unknown): Input {
  const fields = fieldsOf(value, ["system", "code", "unit", "digits", "maxAge"], ["bands"]);
  return {
    system: textOf(fields["system"]),
    code: textOf(fields["code"]),
    unit: textOf(fields["unit"]),
    digits: numberOf(fields["digits"]),
    maxAge: numberOf(fields["maxAge"]),
    bands: listOf(fields["bands"] ?? []).map(bandFrom),
  };
}

function bandFrom(value: unknown): Band {
  const fields = fieldsOf(value, ["low", "high", "score"], ["when"]);
  const band = { ...rangeFrom(fields), score: numberOf(fields["score"]) };
  if (fields["when"] === undefined) return band;
  const when = fieldsOf(fields["when"], ["input", "low", "high"]);
  return { ...band, when: { input: numberOf(when["input"]), ...rangeFrom(when) } };
}

/** `null` is without a bound. */
const rangeFrom = ({ low, high }: Fields): { low: bigint; high: bigint } => ({
  low: low === null ? INT64_MIN : BigInt(numberOf(low)),
  high: high === null ? INT64_MAX : BigInt(numberOf(high)),
});

function responseFrom(value: unknown): Response {
  const { total, single, level } = fieldsOf(value, ["level"], ["total", "single"]);
  return { total: numberOf(total ?? 0), single: numberOf(single ?? 0), level: numberOf(level) };
}

function fieldsOf(value: unknown, needed: readonly string[], optional: readonly string[] = []): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail("an object expected");
  const found = Object.keys(value);
  const lacking = needed.find((key) => !found.includes(key));
  if (lacking !== undefined) return fail(`field ${lacking} is missing`);
  if (found.length > needed.length + optional.filter((key) => found.includes(key)).length) {
    return fail(`a field is none of ${[...needed, ...optional].join(", ")}`);
  }
  return value as Fields;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : fail("a text expected"));

const numberOf = (value: unknown): number =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : fail("a whole number expected");

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : fail("a list expected"));

const oneOf = <T extends string>(names: readonly T[], value: unknown): T =>
  names.find((name) => name === value) ?? fail(`one of ${names.join(", ")} expected`);

function fail(problem: string): never {
  throw new MalformedError(FORMAT, 0, problem);
}
