import { utf8 } from "../bytes/bytes.ts";
import { RuleInvalidError } from "./errors.ts";
import { INT64_MAX, INT64_MIN, type Band, type Input, type Rule } from "./rule.ts";

const UINT48 = 2 ** 48 - 1;
const MOST = { name: 64, inputs: 16, bands: 32, digits: 6, readings: 64, responses: 8 } as const;

/**
 * What a rule must be so that every evaluation of it ends, fits its types and has one meaning; the same as `RuleLimits`
 * in Solidity, and that every number fits its type there.
 *
 * @throws RuleInvalidError
 */
export function checkRule(rule: Rule): void {
  const name = utf8(rule.name).length;
  need(name > 0 && name <= MOST.name, "name", `must have 1 to ${MOST.name} bytes`);
  need(isWhole(rule.version, 1, 2 ** 32 - 1), "version", "must be a whole number from 1");
  checkInputs(rule);
  checkTrigger(rule);
  checkWindow(rule);
  checkResponses(rule);
}

function checkInputs({ kind, inputs }: Rule): void {
  const [fewest, most] = kind === "score" ? [1, MOST.inputs] : kind === "difference" ? [2, 2] : [1, 1];
  need(inputs.length >= fewest && inputs.length <= most, "inputs", `must be ${fewest} to ${most} for ${kind}`);
  const scored = kind === "score" || kind === "count";
  for (const { code, digits, maxAge, bands } of inputs) {
    need(code !== "", "code", "must not be empty");
    need(isWhole(digits, 0, MOST.digits), "digits", `must be 0 to ${MOST.digits}`);
    need(isWhole(maxAge, 1, UINT48), "maxAge", "must be a whole number of milliseconds from 1");
    need(scored === bands.length > 0, "bands", `must be ${scored ? "there" : "empty"} for ${kind}`);
    need(bands.length <= MOST.bands, "bands", `must be ${MOST.bands} at most`);
    for (const band of bands) checkBand(band, inputs);
  }
}

function checkBand({ low, high, score, when }: Band, inputs: readonly Input[]): void {
  need(isInt64(low) && isInt64(high) && low <= high, "band", "must have a low end that is not above its high end");
  need(isWhole(score, 0, 255), "score", "must be 0 to 255");
  if (when === undefined) return;
  need(isWhole(when.input, 0, inputs.length - 1), "when", "must name an input of the rule");
  need(isInt64(when.low) && isInt64(when.high) && when.low <= when.high, "when", "must be a range");
}

function checkTrigger({ kind, trigger }: Rule): void {
  const { comparator, threshold, hysteresis, raiseAfter, clearAfter } = trigger;
  need(isInt64(threshold), "threshold", "must fit 64 bits");
  need(hysteresis >= 0n && hysteresis < 2n ** 64n, "hysteresis", "must be a whole number from 0");
  need(isWhole(raiseAfter, 0, UINT48), "raiseAfter", "must be whole milliseconds");
  need(isWhole(clearAfter, 0, UINT48), "clearAfter", "must be whole milliseconds");
  if (kind === "absence") {
    // Silence grows while nobody looks: a further duration would depend on who looks when.
    need(hysteresis === 0n && raiseAfter === 0 && clearAfter === 0, "trigger", "has a threshold only for absence");
  } else if (kind !== "count" && kind !== "score") return;
  need(comparator === "atLeast" && threshold > 0n, "threshold", `must be reached from below for ${kind}`);
  need(hysteresis < threshold, "hysteresis", "must be below the threshold, or the alert could not end");
}

function checkWindow({ kind, window, minSpan, per, readings, trigger }: Rule): void {
  const rates = kind === "rate";
  const uses = (used: boolean, value: number, most: number, field: string): void =>
    need(isWhole(value, used ? 1 : 0, used ? most : 0), field, used ? `must be 1 to ${most}` : `must be 0 for ${kind}`);
  uses(rates || kind === "difference", window, UINT48, "window");
  uses(rates, minSpan, window, "minSpan");
  uses(rates, per, UINT48, "per");
  uses(kind === "count", readings, MOST.readings, "readings");
  if (kind === "count") need(trigger.threshold <= BigInt(readings), "threshold", "must not be above the readings");
}

function checkResponses({ kind, responses }: Rule): void {
  need((kind === "score") === responses.length > 0, "responses", "must be there for score and for nothing else");
  need(responses.length <= MOST.responses, "responses", `must be ${MOST.responses} at most`);
  let before = 0;
  for (const { total, single, level } of responses) {
    need(isWhole(total, 0, 65_535) && isWhole(single, 0, 255), "response", "must be of whole scores");
    need(total > 0 || single > 0, "response", "must name a total or a single score");
    need(isWhole(level, before + 1, 255), "level", "must ascend from 1 to 255");
    before = level;
  }
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && value >= least && value <= most;

const isInt64 = (value: bigint): boolean => value >= INT64_MIN && value <= INT64_MAX;

function need(holds: boolean, field: string, problem: string): asserts holds {
  if (!holds) throw new RuleInvalidError(field, problem);
}
