/** Decimals whose text follows from an integer and a number of digits behind the point; the others are kept as text. */
const COMPACT = /^-?(?:0|[1-9]\d{0,14})(?:\.(\d{1,15}))?$/;
const LARGEST = 1e15;

export interface CompactDecimal {
  /** The digits without the point, below 10^15 in size. */
  readonly mantissa: number;
  /** Digits behind the point, 0 to 15. */
  readonly scale: number;
}

/** @returns undefined where mantissa and scale would not give back the same text ("-0.0", "1e3", more than 15 digits). */
export function compactDecimal(text: string): CompactDecimal | undefined {
  const match = COMPACT.exec(text);
  if (!match) return undefined;
  const compact = { mantissa: Number(text.replace(".", "")), scale: match[1]?.length ?? 0 };
  return Math.abs(compact.mantissa) < LARGEST && expandDecimal(compact) === text ? compact : undefined;
}

export function expandDecimal({ mantissa, scale }: CompactDecimal): string {
  const digits = Math.abs(mantissa)
    .toString()
    .padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const sign = mantissa < 0 ? "-" : "";
  return scale === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-scale)}`;
}
