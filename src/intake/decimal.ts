/** JSON's grammar of numbers, which is FHIR's grammar of decimals too. */
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** @param limit - Characters at most. */
export const isDecimal = (text: string, limit: number): boolean => text.length <= limit && DECIMAL.test(text);

/** Exponents beyond this make no sense in a count of seconds. */
const LARGEST_EXPONENT = 30;

/** A decimal as whole units and the digits behind the point: −0.25 is −1 and "75", so that `whole + 0.digits` is its value. */
export interface FixedPoint {
  readonly whole: bigint;
  readonly digits: string;
}

/** Exact; the digits behind the point are kept, trailing zeros included. @returns undefined when `text` is no decimal or too large. */
export function fixedPoint(text: string, limit: number): FixedPoint | undefined {
  if (!isDecimal(text, limit)) return undefined;
  const [mantissa = "", power = "0"] = text.toLowerCase().split("e");
  const exponent = Number(power);
  if (Math.abs(exponent) > LARGEST_EXPONENT) return undefined;
  const [whole = "", behind = ""] = mantissa.replace("-", "").split(".");
  const places = Math.max(0, behind.length - exponent);
  const shifted = BigInt(whole + behind) * 10n ** BigInt(Math.max(0, exponent - behind.length));
  const size = 10n ** BigInt(places);
  const scaled = text.startsWith("-") ? -shifted : shifted;
  const rest = ((scaled % size) + size) % size;
  return { whole: (scaled - rest) / size, digits: places === 0 ? "" : rest.toString().padStart(places, "0") };
}

/** Adds exactly; keeps as many digits behind the point as the longer of the two. */
export function addFixed(a: FixedPoint, b: FixedPoint): FixedPoint {
  const places = Math.max(a.digits.length, b.digits.length);
  const size = 10n ** BigInt(places);
  const sum = BigInt(a.digits.padEnd(places, "0") || "0") + BigInt(b.digits.padEnd(places, "0") || "0");
  const rest = sum % size;
  return { whole: a.whole + b.whole + sum / size, digits: places === 0 ? "" : rest.toString().padStart(places, "0") };
}
