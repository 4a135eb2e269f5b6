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

/** Two hours at 1 Hz: as many as an import keeps open at a time. */
const REMEMBERED = 8192;
const texts = new Array<string>(REMEMBERED).fill("");
const instants = new Array<Instant | undefined>(REMEMBERED).fill(undefined);
let latest = "";
let latestInstant: Instant | undefined;

/**
 * RFC 3339 `date-time` with upper-case T and Z; fraction and offset are kept as written.
 *
 * Values of one row have one time, and rows are gone through several times until they are sealed, so what was read last is at hand.
 *
 * @returns the instant, or undefined when `text` is not one (wrong form, 30 February, hour 24, leap second, offset beyond ±14:00).
 */
export function parseInstant(text: string): Instant | undefined {
  if (text === latest) return latestInstant;
  const slot = slotOf(text);
  if (texts[slot] !== text) {
    instants[slot] = inMinute(text) ?? parse(text);
    texts[slot] = text;
  }
  latest = text;
  return (latestInstant = instants[slot]);
}

/** Another one for each second of two hours, and for most fractions of one. */
function slotOf(text: string): number {
  const seconds =
    (at(text, 12) & 1) * 3600 + at(text, 14) * 600 + at(text, 15) * 60 + at(text, SECONDS_AT) * 10 + at(text, 18);
  return (seconds + at(text, 20) * 97 + at(text, 21) * 11 + at(text, 22)) & (REMEMBERED - 1);
}

const at = (text: string, i: number): number => text.charCodeAt(i) | 0;

/** Of a time without a fraction: its text up to the seconds and behind them, and the instant at which its minute begins. */
let minute = { upTo: "", behind: "", begin: 0 };

/** Most times lie in the minute of the one before. Undefined for those that do not. */
function inMinute(text: string): Instant | undefined {
  const second = two(text, SECONDS_AT);
  const { upTo, behind, begin } = minute;
  const alike = text.length === upTo.length + 2 + behind.length && text.startsWith(upTo) && text.endsWith(behind);
  return alike && second <= 59 ? { seconds: begin + second, fraction: "", offset: behind } : undefined;
}

function parse(text: string): Instant | undefined {
  const [year, month, day] = [100 * two(text, 0) + two(text, 2), two(text, 5), two(text, 8)];
  const [hour, inHour, second] = [two(text, 11), two(text, 14), two(text, SECONDS_AT)];
  const separated =
    text[4] === "-" && text[7] === "-" && text[10] === "T" && text[13] === ":" && text[16] === ":" && year >= 0;
  if (!separated || !(hour <= 23 && inHour <= 59 && second <= 59)) return undefined;
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined;

  let end = 19;
  if (text[end] === ".") while (isDigit(text, ++end));
  const fraction = text.slice(20, end);
  if (text[19] === "." && (fraction === "" || fraction.length > LONGEST_FRACTION)) return undefined;
  const offset = text.slice(end);
  const east = offset === "Z" ? 0 : offsetOf(offset);
  if (!(Math.abs(east) <= FARTHEST_OFFSET)) return undefined;
  const begin = daysSince1970(year, month, day) * 86_400 + hour * 3600 + inHour * 60 - east * 60;
  if (fraction === "") minute = { upTo: text.slice(0, SECONDS_AT), behind: offset, begin };
  return { seconds: begin + second, fraction, offset };
}

/** Where the seconds stand in RFC 3339 text. */
export const SECONDS_AT = 17;
/** Digits behind the point. */
const LONGEST_FRACTION = 9;
/** Minutes. */
const FARTHEST_OFFSET = 14 * 60;

/** Minutes east; NaN unless the text is `±hh:mm`. */
function offsetOf(text: string): number {
  const [sign, hours, minutes] = [text[0], two(text, 1), two(text, 4)];
  if (text.length !== 6 || (sign !== "+" && sign !== "-") || text[3] !== ":" || !(minutes <= 59)) return NaN;
  return (sign === "-" ? -1 : 1) * (hours * 60 + minutes);
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
};

/** The number that two digits from `at` on make; NaN where something else stands. */
function two(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 0x30, text.charCodeAt(at + 1) - 0x30];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const DAYS_BEFORE = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;

const daysOf = (year: number, month: number): number =>
  month === 2 && isLeap(year) ? 29 : (DAYS[month - 1] as number);

/** In the Gregorian calendar, also before there was one. */
function daysSince1970(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const days = before * 365 + leapDays + (DAYS_BEFORE[month - 1] as number) + (month > 2 && isLeap(year) ? 1 : 0) + day;
  return days - 719_163;
}

/** Inverse of `parseInstant`. */
export function formatInstant(instant: Instant): string {
  const local = new Date((instant.seconds + offsetMinutes(instant.offset) * 60) * 1000).toISOString().slice(0, 19);
  return `${local}${instant.fraction ? "." + instant.fraction : ""}${instant.offset}`;
}
