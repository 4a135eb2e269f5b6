import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRule } from "../../src/alerts/rule-file.ts";
import { INT64_MAX, INT64_MIN, type Band, type Rule } from "../../src/alerts/rule.ts";
import { UsageError } from "../../src/errors.ts";
import { isAbsent } from "../../src/files/durable.ts";
import { closest } from "./closest.ts";
import { homeFolder } from "./home.ts";
import { readUserText } from "./files.ts";
import { lengthOf } from "./times.ts";

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

/** A value that is stored in units of its input's last digit, without zeros at its end. */
function decimal(value: bigint, digits: number): string {
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, "0");
  const point = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
  return value < 0n ? `-${point}` : point;
}

/** What a rule says, in lines for people. */
export function describeRule(rule: Rule): string[] {
  const { kind, inputs, trigger, window, minSpan, per, readings, responses } = rule;
  const { digits = 0, unit = "", bands = [] } = inputs[0] ?? {};
  const { threshold, hysteresis, raiseAfter, clearAfter } = trigger;
  const isLeast = trigger.comparator === "atLeast";
  const side = isLeast ? "at least" : "at most";
  const withUnit = (value: bigint): string => `${decimal(value, digits)} ${unit}`.trimEnd();
  const counting = bands.filter(({ score }) => score > 0).map((band) => rangeOf(band, withUnit));
  const what = {
    threshold: `a value of ${side} ${withUnit(threshold)}`,
    count: `${threshold} of the last ${readings} values ${counting.join(" or ")}`,
    rate: `a change of ${side} ${withUnit(threshold)} in ${lengthOf(per)}, over ${lengthOf(minSpan)} to ${lengthOf(window)}`,
    difference: `a difference of ${side} ${withUnit(threshold)}, taken within ${lengthOf(window)}`,
    absence: `no value for ${lengthOf(Number(threshold))}`,
    score: `a score that calls for level ${threshold} or more`,
  }[kind];
  const lasting = raiseAfter > 0 ? `${kind === "threshold" ? "" : ","} for ${lengthOf(raiseAfter)}` : "";
  const bound = isLeast ? threshold - hysteresis : threshold + hysteresis;
  const ends = {
    ...{ threshold: withUnit(bound), rate: withUnit(bound), difference: withUnit(bound) },
    ...{ count: `${bound} of them`, score: `level ${bound}` },
    absence: "",
  }[kind];
  const beyond = kind === "count" ? "with fewer than" : isLeast ? "below" : "above";
  const over = hysteresis > 0n ? `${beyond} ${ends}` : "once it is over";
  const long = clearAfter > 0 ? `${over} for ${lengthOf(clearAfter)}` : over;
  const end = hysteresis > 0n || clearAfter > 0 ? `; ends ${long}` : "";
  return [
    `${rule.name}, version ${rule.version}: ${what}${lasting}${end}`,
    ...inputs.map(
      ({ system, code, unit: of, maxAge }) =>
        `  looks at ${system}|${code} in ${of === "" ? "no unit" : of}; a value counts for ${lengthOf(maxAge)}`,
    ),
    ...responses.map(
      ({ total, single, level }) =>
        `  level ${level} from ${[total > 0 ? `a total of ${total}` : "", single > 0 ? `a single score of ${single}` : ""].filter(Boolean).join(" or ")} on`,
    ),
  ];
}

function rangeOf({ low, high }: Band, withUnit: (value: bigint) => string): string {
  if (low === INT64_MIN) return `of at most ${withUnit(high)}`;
  return high === INT64_MAX ? `of at least ${withUnit(low)}` : `from ${withUnit(low)} to ${withUnit(high)}`;
}
