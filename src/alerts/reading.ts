import { parseInstant } from "../observation/instant.ts";
import {
  isAnnouncedOffline,
  type Channel,
  type Observation as Recorded,
  type Value,
} from "../observation/observation.ts";
import { fitDecimal } from "./rounding.ts";
import type { Rule } from "./rule.ts";
import type { Observation } from "./state.ts";
import { isSame, type Measured, type Told } from "./told.ts";

/** JSON's numbers. Exponents of more than two digits are no vital sign. */
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/;
const LARGEST_TEXT = 64;

/** What a rule can hear of: a reading, or why there is none. */
export type Heard = Recorded | Told;

const NOTHING_MEASURED = { mantissa: 0n, scale: 0 } as const;

/**
 * What a recorded observation says to a rule: one observation for each input that looks at its channel, most often none
 * or one.
 *
 * A value with a comparator counts as its bound. Sampled data says nothing here. What is no decimal counts as missing.
 */
export function observationsFor(rule: Rule, heard: Heard): readonly Observation[] {
  if ("report" in heard) return told(rule, heard);
  const recorded = heard;
  const time = milliseconds(recorded.time);
  if (time === undefined || recorded.value.kind === "sampled") return [];
  return rule.inputs.flatMap(({ system, code, unit, digits }, input): Observation[] => {
    if (!isSame({ system, code, unit }, measuredBy(recorded.channel))) return [];
    const decimal = decimalOf(recorded.value, digits);
    const report = isAnnouncedOffline(recorded.value) ? "announcedOffline" : "missing";
    if (decimal === undefined) return [{ time, report, input, ...NOTHING_MEASURED }];
    return [{ time, report: "value", input, ...decimal }];
  });
}

const told = (rule: Rule, { report, channels, time }: Told): readonly Observation[] =>
  rule.inputs.flatMap((one, input) =>
    channels.some((channel) => isSame(one, channel)) ? [{ time, report, input, ...NOTHING_MEASURED }] : [],
  );

/** What is measured is the component where there is one. */
export const measuredBy = ({ code, component, unit }: Channel): Measured => ({ ...(component ?? code), unit });

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
