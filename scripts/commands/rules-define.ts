import { UsageError } from "../../src/errors.ts";
import { ruleId } from "../../src/alerts/abi.ts";
import { unitCheck } from "../../src/intake/ucum.ts";
import { unitFitsCode, usualUnit } from "../../src/intake/units-of-codes.ts";
import { formatRule, parseRule } from "../../src/alerts/rule-file.ts";
import { INT64_MAX, INT64_MIN, type Input, type Rule } from "../../src/alerts/rule.ts";
import type { Call, Command } from "../cli/command.ts";
import { readUserText, writeNew } from "../cli/files.ts";
import { describeRule, knownRules, makeFolder, ruleFile } from "../cli/rules.ts";
import { parseDuration } from "../cli/times.ts";

export const command: Command = {
  summary: "Defines an alert rule, or its next version. A rule says nothing of any patient and may be public",
  words: "NAME",
  options: {
    code: {
      type: "string",
      value: "SYSTEM|CODE",
      help: "what it looks at, http://loinc.org|8867-4; LOINC alone may be left out",
    },
    unit: { type: "string", value: "UCUM", help: "in which unit; readings in another one are not looked at" },
    "at-least": { type: "string", value: "NUMBER", help: "an alert from this value on" },
    "at-most": { type: "string", value: "NUMBER", help: "an alert from this value down" },
    "silent-for": { type: "string", value: "LENGTH", help: "an alert when nothing came for so long" },
    hysteresis: {
      type: "string",
      value: "NUMBER",
      help: "how far on the safe side of the limit it ends; with --count in values",
    },
    "raise-after": { type: "string", value: "LENGTH", help: "how long it must last before it counts" },
    "clear-after": { type: "string", value: "LENGTH", help: "how long it must be over before it ends" },
    "max-age": { type: "string", value: "LENGTH", help: "for how long a value counts; 5min without it" },
    of: { type: "string", value: "N", help: "with --count: of the last N values" },
    count: { type: "string", value: "K", help: "an alert when K of the last --of values are beyond the limit" },
    per: { type: "string", value: "LENGTH", help: "the limit is a change in this time; with --window" },
    window: { type: "string", value: "LENGTH", help: "over which the change is taken, or within which two values are" },
    and: { type: "string", value: "SYSTEM|CODE", help: "the limit is the difference of the two; with --window" },
    file: {
      type: "string",
      value: "FILE",
      help: "the rule as JSON instead, score cards too (docs/formats.md, section 25)",
    },
  },
  examples: [
    ["rules define fast-heart --code 8867-4 --unit /min --at-least 130 --hysteresis 5 --raise-after 10s", "a limit"],
    ["rules define no-glucose --code 99504-3 --unit mg/dL --silent-for 20min", "silence, found by the clock"],
    ["rules define feet --code 8310-5 --and 39106-0 --unit Cel --at-least 2.22 --window 1min", "two sensors apart"],
    [
      "rules define low-often --code 59408-5 --unit % --at-most 90 --count 3 --of 5 --clear-after 1min",
      "three of five values",
    ],
    ["rules define rising --code 8867-4 --unit /min --at-least 30 --per 1min --window 5min", "a trend"],
  ],
  async run(call) {
    const name = call.word("rule");
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name))
      throw new UsageError("the name of a rule has small letters, digits and hyphens, 64 at most");
    const known = (await knownRules()).filter(({ rule }) => rule.name === name);
    if (known.some(({ from }) => from === "shipped"))
      throw new UsageError("a rule of this name comes with MedSeal", { hint: "choose another name" });
    const version = (known.at(-1)?.rule.version ?? 0) + 1;
    const file = call.text("file");
    const rule = { ...(file === undefined ? ruleOf(call) : parseRule(await readUserText(file))), name, version };
    checkUnits(rule);
    const text = formatRule(rule);
    await makeFolder();
    await writeNew(ruleFile(rule), text);
    call.io.result(
      { id: ruleId(rule), rule: (JSON.parse(text) as { rule: object }).rule },
      ...describeRule(rule),
      `  id ${ruleId(rule)}`,
    );
  },
};

/** In a unit that no reading comes in, the rule would look at nothing for ever. @throws UsageError. */
function checkUnits({ inputs }: Omit<Rule, "name" | "version">): void {
  for (const { system, code, unit } of inputs) {
    const channel = { code: { system, code }, unit };
    const usual = usualUnit(channel);
    const hint = usual === undefined ? "write it as UCUM has it, /min for one" : `the usual one is ${usual}`;
    if (unit !== "" && !unitCheck()(unit)) throw new UsageError(`"${unit}" is no UCUM unit`, { hint });
    if (!unitFitsCode(channel)) throw new UsageError(`values of ${code} do not come in "${unit}"`, { hint });
  }
}

/** Values are rounded to the digits of the rule before they are compared: 37.5 must not pass for 38. */
const DIGITS = 3;

const NUMBER = /^-?\d{1,15}(?:\.(\d{1,6}))?$/;

function ruleOf(call: Call): Omit<Rule, "name" | "version"> {
  const kind = kindOf(call);
  const limit = call.text("at-least") ?? call.text("at-most");
  const texts = [limit, call.text("hysteresis")].filter((text) => text !== undefined);
  for (const text of texts)
    if (!NUMBER.test(text)) throw new UsageError(`"${text}" is no number`, { hint: "write 39.5" });
  const digits = Math.max(DIGITS, ...texts.map((text) => NUMBER.exec(text)?.[1]?.length ?? 0));
  const units = (text: string): bigint => {
    const [whole = "", behind = ""] = text.split(".");
    return BigInt(whole + behind.padEnd(digits, "0"));
  };
  const length = (name: string, otherwise: string): number => 1000 * parseDuration(call.text(name) ?? otherwise);
  const isMost = call.text("at-most") !== undefined;
  const value = limit === undefined ? 0n : units(limit);
  const margin = kind === "count" ? () => wholeOf(call, "hysteresis") : () => units(call.need("hysteresis"));
  const hysteresis = call.text("hysteresis") === undefined ? 0n : margin();
  const band = isMost ? { low: INT64_MIN, high: value, score: 1 } : { low: value, high: INT64_MAX, score: 1 };
  const input = (code: string): Input => ({
    ...codeOf(code),
    unit: call.need("unit"),
    digits,
    // Silence is told by its own threshold: a value counts as long.
    maxAge: kind === "absence" ? length("silent-for", "5min") : length("max-age", "5min"),
    bands: kind === "count" ? [band] : [],
  });
  const and = call.text("and");
  const windows = {
    rate: () => length("window", call.need("per")),
    difference: () => length("window", call.need("window")),
  };
  const window = kind === "rate" || kind === "difference" ? windows[kind]() : 0;
  const thresholds = { count: () => wholeOf(call, "count"), absence: () => BigInt(length("silent-for", "5min")) };
  return {
    kind,
    inputs: [input(call.need("code")), ...(and === undefined ? [] : [input(and)])],
    trigger: {
      comparator: isMost && kind !== "count" ? "atMost" : "atLeast",
      threshold: kind === "count" || kind === "absence" ? thresholds[kind]() : value,
      hysteresis,
      raiseAfter: call.text("raise-after") === undefined ? 0 : length("raise-after", ""),
      clearAfter: call.text("clear-after") === undefined ? 0 : length("clear-after", ""),
    },
    window,
    minSpan: kind === "rate" ? Math.max(1, Math.floor(window / 2)) : 0,
    per: kind === "rate" ? length("per", "") : 0,
    readings: kind === "count" ? Number(wholeOf(call, "of")) : 0,
    responses: [],
  };
}

function kindOf(call: Call): "threshold" | "count" | "rate" | "difference" | "absence" {
  const has = (name: string): boolean => call.text(name) !== undefined;
  const limits = ["at-least", "at-most", "silent-for"].filter(has);
  if (limits.length !== 1)
    throw new UsageError("a rule has one limit: --at-least, --at-most or --silent-for", { hint: "or --file for JSON" });
  if (has("count") !== has("of")) throw new UsageError("--count and --of go together");
  const ways = ["count", "per", "and"].filter(has);
  if (ways.length > 1 || (ways.length === 1 && has("silent-for")))
    throw new UsageError("a rule is of one kind", { hint: "take one of --count, --per and --and, and a limit" });
  if (has("window") && !has("per") && !has("and")) throw new UsageError("--window goes with --per or --and");
  const [stray] = has("silent-for") ? ["hysteresis", "max-age", "raise-after", "clear-after"].filter(has) : [];
  if (stray !== undefined) throw new UsageError(`--${stray} does not go with --silent-for`);
  if (has("silent-for")) return "absence";
  if (has("count")) return "count";
  if (has("per")) return "rate";
  return has("and") ? "difference" : "threshold";
}

function wholeOf(call: Call, name: string): bigint {
  const text = call.need(name);
  if (!/^[1-9]\d?$/.test(text)) throw new UsageError(`--${name} is no number from 1 to 99`);
  return BigInt(text);
}

function codeOf(text: string): { system: string; code: string } {
  const [system, code] = text.includes("|") ? text.split("|") : ["http://loinc.org", text];
  if (!system || !code) throw new UsageError("--code is SYSTEM|CODE", { hint: "for example http://loinc.org|8867-4" });
  return { system, code };
}
