import { parseInstant } from "../observation/instant.ts";
import type { Channel, Observation as Recorded, Value } from "../observation/observation.ts";
import { fitDecimal } from "./rounding.ts";
import type { Rule } from "./rule.ts";
import type { Observation } from "./state.ts";

/** JSON's numbers. Exponents of more than two digits are no vital sign. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/;
const LARGEST_TEXT = 64;

/**
 * What a recorded observation says to a rule: one observation for each input that looks at its channel, most often none
 * or one.
 *
 * A value with a comparator counts as its bound. Sampled data says nothing here. What is no decimal counts as missing.
 */
export function observationsFor(rule: Rule, recorded: Recorded): readonly Observation[] {
  const time = milliseconds(recorded.time);
  if (time === undefined || recorded.value.kind === "sampled") return [];
  return rule.inputs.flatMap(({ system, code, unit, digits }, input): Observation[] => {
    if (!looksAt({ system, code, unit }, recorded.channel)) return [];
    const decimal = decimalOf(recorded.value, digits);
    if (decimal === undefined) return [{ time, report: "missing", input, mantissa: 0n, scale: 0 }];
    return [{ time, report: "value", input, ...decimal }];
  });
}

/** What is measured is the component where there is one. */
function looksAt(input: { system: string; code: string; unit: string }, channel: Channel): boolean {
  const { system, code } = channel.component ?? channel.code;
  return input.system === system && input.code === code && input.unit === channel.unit;
}

/** Milliseconds since 1970, cut off. @returns undefined before 1970, which no sensor has seen. */
function milliseconds(text: string): number | undefined {
  const instant = parseInstant(text);
  if (instant === undefined) return undefined;
  const time = instant.seconds * 1000 + Number(instant.fraction.slice(0, 3).padEnd(3, "0"));
  return time > 0 ? time : undefined;
}

function decimalOf(value: Value, digits: number): { readonly mantissa: bigint; readonly scale: number } | undefined {
  if (value.kind === "boolean") return { mantissa: value.value ? 1n : 0n, scale: 0 };
  if (value.kind !== "quantity" || value.decimal.length > LARGEST_TEXT) return undefined;
  const match = DECIMAL.exec(value.decimal);
  if (match === null) return undefined;
  const [, sign = "", whole = "", behind = "", exponent = "0"] = match;
  const scale = behind.length - Number(exponent);
  const mantissa = BigInt(sign + whole + behind);
  return scale < 0 ? fitDecimal(mantissa * 10n ** BigInt(-scale), 0, digits) : fitDecimal(mantissa, scale, digits);
}
