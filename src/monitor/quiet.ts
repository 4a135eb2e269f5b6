/** A time of every day in which only critical alerts disturb anybody. */
export interface QuietHours {
  /** Minutes since local midnight; `to` comes before `from` where the night lies between. */
  readonly from: number;
  readonly to: number;
  /** IANA time zone: the hours are those of a person's clock, also when it is put forward. */
  readonly zone: string;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** @returns undefined when the zone is not known. */
function clockOf(zone: string): Intl.DateTimeFormat | undefined {
  let clock = clocks.get(zone);
  try {
    clock ??= new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  } catch {
    return undefined;
  }
  clocks.set(zone, clock);
  return clock;
}

export const isZone = (zone: string): boolean => clockOf(zone) !== undefined;

/** @param time - Milliseconds since 1970. */
export function isQuiet({ from, to, zone }: QuietHours, time: number): boolean {
  const parts = clockOf(zone)?.formatToParts(time) ?? [];
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const minute = 60 * part("hour") + part("minute");
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The first moment from `time` on that is not quiet; hours that never end give up after two days. */
export function quietUntil(quiet: QuietHours | undefined, time: number): number {
  if (quiet === undefined || !isQuiet(quiet, time)) return time;
  for (let at = time - (time % MINUTE) + MINUTE; at < time + 2 * DAY; at += MINUTE) if (!isQuiet(quiet, at)) return at;
  return Infinity;
}
