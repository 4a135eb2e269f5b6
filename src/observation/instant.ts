/** RFC 3339 `date-time` with upper-case T and Z; fraction and offset are kept as written. */
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

export interface Instant {
  /** Whole seconds since 1970-01-01T00:00:00Z. */
  readonly seconds: number;
  /** Digits behind the point as written, `""` without one. */
  readonly fraction: string;
  /** `Z` or `±hh:mm` as written. */
  readonly offset: string;
}

/** Minutes east of UTC of `Z` or `±hh:mm`. */
export function offsetMinutes(offset: string): number {
  if (offset === "Z") return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
  return offset.startsWith("-") ? -minutes : minutes;
}

/** @returns the instant, or undefined when `text` is not one (wrong form, 30 February, hour 24, leap second, offset beyond ±14:00). */
export function parseInstant(text: string): Instant | undefined {
  const match = INSTANT.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset = match[8] as string;
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || day < 1) return undefined;
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  if (offset !== "Z" && (Math.abs(offsetMinutes(offset)) > 14 * 60 || Number(offset.slice(4)) > 59)) return undefined;
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  return { seconds: local.getTime() / 1000 - offsetMinutes(offset) * 60, fraction: match[7] ?? "", offset };
}

/** Inverse of `parseInstant`. */
export function formatInstant(instant: Instant): string {
  const local = new Date((instant.seconds + offsetMinutes(instant.offset) * 60) * 1000).toISOString().slice(0, 19);
  return `${local}${instant.fraction ? "." + instant.fraction : ""}${instant.offset}`;
}
