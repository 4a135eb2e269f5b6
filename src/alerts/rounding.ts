import { INT64_MAX, INT64_MIN } from "./rule.ts";

/** `mantissa / 10^scale` in units of `10^-digits`, rounded half away from zero. */
export const toDigits = (mantissa: bigint, scale: number, digits: number): bigint =>
  scale <= digits ? mantissa * 10n ** BigInt(digits - scale) : divide(mantissa, 10n ** BigInt(scale - digits));

/** Rounds half away from zero. */
export function divide(dividend: bigint, divisor: bigint): bigint {
  const size = dividend < 0n ? -dividend : dividend;
  const quotient = (2n * size + divisor) / (2n * divisor);
  return dividend < 0n ? -quotient : quotient;
}

const MAX_SCALE = 18;

/**
 * A decimal's digits as an observation holds them.
 *
 * Digits too many are cut off behind the one that rounding asks for, which changes nothing: half away from zero asks
 * only whether what follows is at least a half. Where not even that one has room in 64 bits the value is rounded at
 * once. One beyond 64 bits is taken as the largest there is, so that it still raises what it should.
 *
 * @param digits - Behind the point, to which the value will be rounded.
 */
export function fitDecimal(
  mantissa: bigint,
  scale: number,
  digits: number,
): { readonly mantissa: bigint; readonly scale: number } {
  let [kept, places] = [mantissa, scale];
  while (places > MAX_SCALE || (places > digits + 1 && !fits(kept))) {
    kept /= 10n;
    places -= 1;
  }
  if (fits(kept)) return { mantissa: kept, scale: places };
  const rounded = toDigits(mantissa, scale, digits);
  if (scale > digits && fits(rounded)) return { mantissa: rounded, scale: digits };
  return { mantissa: mantissa > 0n ? INT64_MAX : INT64_MIN, scale: 0 };
}

const fits = (value: bigint): boolean => value >= INT64_MIN && value <= INT64_MAX;
