import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRule } from "../../src/alerts/rule-file.ts";
import type { Rule } from "../../src/alerts/rule.ts";
import { UsageError } from "../../src/errors.ts";
import { isAbsent } from "../../src/files/durable.ts";
import { closest } from "./closest.ts";
import { homeFolder } from "./home.ts";
import { readUserText } from "./files.ts";

/** A rule by its name here, and where it comes from. */
export interface KnownRule {
  readonly rule: Rule;
  readonly from: "shipped" | "yours";
}

/** Rules are no secret: they lie beside the identities, for all of them. */
const folder = (): string => join(homeFolder(), ".rules");
const shipped = fileURLToPath(new URL("../../src/alerts/rules", import.meta.url));

export const ruleFile = ({ name, version }: Rule): string => join(folder(), `${name}.${version}.json`);

/** All that are known here, every version. */
export async function knownRules(): Promise<KnownRule[]> {
  const read = async (at: string, from: KnownRule["from"]): Promise<KnownRule[]> => {
    const files = await readdir(at).catch((error: unknown) => {
      if (isAbsent(error)) return [];
      throw error;
    });
    const json = files.filter((file) => file.endsWith(".json")).sort();
    return Promise.all(json.map(async (file) => ({ rule: parseRule(await readFile(join(at, file), "utf8")), from })));
  };
  const all = [...(await read(shipped, "shipped")), ...(await read(folder(), "yours"))];
  return all.sort((a, b) => a.rule.name.localeCompare(b.rule.name) || a.rule.version - b.rule.version);
}

/** The newest of a name, or the one in a file. @throws UsageError, MalformedError, RuleInvalidError. */
export async function ruleNamed(name: string): Promise<Rule> {
  const known = (await knownRules()).map(({ rule }) => rule);
  const found = known.findLast((rule) => rule.name === name);
  if (found) return found;
  if (name.endsWith(".json")) return parseRule(await readUserText(name));
  const names = [...new Set(known.map((rule) => rule.name))];
  const near = closest(name, names);
  throw new UsageError(`there is no rule "${name}"`, {
    hint: near === undefined ? `there are: ${names.join(", ")}; or name a .json file` : `did you mean ${near}?`,
  });
}

export const makeFolder = (): Promise<unknown> => mkdir(folder(), { recursive: true, mode: 0o700 });

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;

/** A value in the digits of its input. */
export function decimal(value: bigint, digits: number): string {
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, "0");
  const point = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return value < 0n ? `-${point}` : point;
}

/** What a rule says, in lines for people. */
export function describeRule(rule: Rule): string[] {
  const { kind, inputs, trigger, window, per, readings, responses } = rule;
  const digits = inputs[0]?.digits ?? 0;
  const unit = inputs[0]?.unit ?? "";
  const side = trigger.comparator === "atLeast" ? "at least" : "at most";
  const limit = `${side} ${decimal(trigger.threshold, digits)} ${unit}`;
  const what = {
    threshold: `a value of ${limit}`,
    count: `${trigger.threshold} of the last ${readings} values in a band that counts`,
    rate: `a change of ${limit} in ${seconds(per)}, over ${seconds(window)}`,
    difference: `a difference of ${limit}, taken within ${seconds(window)}`,
    absence: `no value for ${seconds(Number(trigger.threshold))}`,
    score: `a score that calls for level ${trigger.threshold} or more`,
  }[kind];
  const lasting = [
    trigger.raiseAfter > 0 ? `for ${seconds(trigger.raiseAfter)}` : "",
    trigger.hysteresis > 0n ? `ends ${decimal(trigger.hysteresis, kind === "score" ? 0 : digits)} behind it` : "",
    trigger.clearAfter > 0 ? `and after ${seconds(trigger.clearAfter)}` : "",
  ].filter(Boolean);
  return [
    `${rule.name}, version ${rule.version}: ${[what, ...lasting].join(", ")}`,
    ...inputs.map(
      ({ system, code, unit: of, maxAge }) =>
        `  looks at ${system}|${code} in ${of === "" ? "no unit" : of}; a value counts for ${seconds(maxAge)}`,
    ),
    ...responses.map(
      ({ total, single, level }) =>
        `  level ${level} from ${[total > 0 ? `a total of ${total}` : "", single > 0 ? `a single score of ${single}` : ""].filter(Boolean).join(" or ")} on`,
    ),
  ];
}
