import { UsageError } from "../../src/errors.ts";
import { parseInstant } from "../../src/observation/instant.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** `90s`, `15min`, `1h`, `30d`, `2w` in seconds. @throws UsageError. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})(s|min|h|d|w)$/.exec(text) ?? [];
  if (count === undefined || unit === undefined)
    throw new UsageError(`"${text}" is no length of time`, { hint: "write 15min, 1h, 30d or 2w" });
  return Number(count) * (UNITS[unit] as number);
}

/** Milliseconds in the largest unit that leaves no rest: `5 min`, `90 s`. */
export function lengthOf(milliseconds: number): string {
  const whole = Object.entries(UNITS).findLast(
    ([unit, length]) => unit !== "w" && milliseconds % (1000 * length) === 0,
  );
  const [unit, length] = milliseconds > 0 && whole ? whole : ["s", 1];
  return `${milliseconds / (1000 * length)} ${unit}`;
}

/**
 * Unix seconds of `now`, an RFC 3339 instant, `2026-03-01`, or `2026-03-01 08:00`; without an offset in the user's own zone.
 *
 * @throws UsageError.
 */
export function parseTime(text: string, now: number): number {
  if (text === "now") return now;
  const instant = parseInstant(text);
  if (instant) return instant.seconds;
  const [, year, month, day, hour = "0", minute = "0", second = "0"] =
    /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text) ?? [];
  if (/T\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})$/.test(text)) return parseTime(text.replace(/T\d{2}:\d{2}/, "$&:00"), now);
  if (year !== undefined) {
    const parts = [year, month, day, hour, minute, second].map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const date = new Date(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], parts[5]);
    const same = date.getMonth() === parts[1] - 1 && date.getDate() === parts[2] && date.getHours() === parts[3];
    if (same && parts[4] < 60 && parts[5] < 60) return date.getTime() / 1000;
  }
  throw new UsageError(`"${text}" is no time`, { hint: "write 2026-03-01, 2026-03-01T08:00:00Z or now" });
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** `last-30d`, `FROM..TO`, `FROM..` (open for ten years), with times as `parseTime` has them. @throws UsageError. */
export function parseWindow(text: string, now: number): Window {
  const [, last] = /^last-(.+)$/.exec(text) ?? [];
  if (last !== undefined) return { from: now - parseDuration(last), to: now };
  const [from, to, more] = text.split("..");
  if (from === undefined || to === undefined || more !== undefined)
    throw new UsageError(`"${text}" is no window of time`, { hint: "write last-30d, or 2026-03-01..2026-04-01" });
  const window = { from: parseTime(from, now), to: to === "" ? now + 3650 * 86_400 : parseTime(to, now) };
  if (window.from >= window.to) throw new UsageError("the window ends before it begins");
  return window;
}

/** Rounded to epochs: inward, so that nothing more is granted than was said; or outward. */
export const roundWindow = ({ from, to }: Window, epoch: number, inward: boolean): Window =>
  inward
    ? { from: Math.ceil(from / epoch) * epoch, to: Math.floor(to / epoch) * epoch }
    : { from: Math.floor(from / epoch) * epoch, to: Math.ceil(to / epoch) * epoch };

export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** In the user's zone, and in UTC where that is another time. */
export function shown(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" })
    .formatToParts(date)
    .find(({ type }) => type === "timeZoneName");
  const local = `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone?.value ?? ""}`;
  return date.getTimezoneOffset() === 0 ? utc(seconds) : `${local} (${utc(seconds)})`;
}

export const shownWindow = ({ from, to }: Window): string => `${shown(from)} to ${shown(to)}`;

/** `1 batch`, `2 batches`. */
export const count = (number: number, one: string, several = `${one}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : several}`;

/** The zone that was named, or the user's own. @throws UsageError for one that does not exist. */
export function ownZone(named?: string): string {
  if (named === undefined) return Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return Intl.DateTimeFormat("en", { timeZone: named }).resolvedOptions().timeZone;
  } catch (cause) {
    throw new UsageError(`"${named}" is no time zone`, { hint: "write it as Europe/Berlin", cause });
  }
}
