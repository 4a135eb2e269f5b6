const LARGEST = 1e15;
/** Digits behind the point. */
const LARGEST_SCALE = 15;
const [MINUS, POINT, ZERO] = [0x2d, 0x2e, 0x30] as const;

/** Decimals whose text follows from an integer and a number of digits behind the point; the others are kept as text. */
export interface CompactDecimal {
  /** The digits without the point, below 10^15 in size. */
  readonly mantissa: number;
  /** Digits behind the point, 0 to 15. */
  readonly scale: number;
}

/**
 * @param into - Is what comes, where there is much to read and an object for each would be much garbage.
 * @returns undefined where mantissa and scale would not give back the same text ("-0.0", "1e3", more than 15 digits).
 */
export function compactDecimal(
  text: string,
  into: { -readonly [K in keyof CompactDecimal]: CompactDecimal[K] } = { mantissa: 0, scale: 0 },
): CompactDecimal | undefined {
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  let [mantissa, point] = [0, -1];
  for (let i = first; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === POINT && point === -1) {
      point = i;
      continue;
    }
    const digit = code - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    mantissa = mantissa * 10 + digit;
    if (mantissa >= LARGEST) return undefined;
  }
  const whole = (point === -1 ? text.length : point) - first;
  const scale = point === -1 ? 0 : text.length - point - 1;
  const regular = whole === 1 || (whole > 1 && text.charCodeAt(first) !== ZERO);
  if (!regular || (point !== -1 && scale === 0) || scale > LARGEST_SCALE || (negative && mantissa === 0))
    return undefined;
  into.mantissa = negative ? -mantissa : mantissa;
  into.scale = scale;
  return into;
}

export function expandDecimal({ mantissa, scale }: CompactDecimal): string {
  const digits = Math.abs(mantissa)
    .toString()
    .padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const sign = mantissa < 0 ? "-" : "";
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
}
