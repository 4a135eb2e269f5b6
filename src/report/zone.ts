/** Times as a page shows them: in the zone of whoever reads it, and in UTC. */
export interface Times {
  /** IANA name, `UTC` where it is that. */
  readonly zone: string;
  /** `2026-03-01 09:00:00 +01:00`. */
  local(seconds: number): string;
  /** `2026-03-01 08:00:00 UTC`. */
  utc(seconds: number): string;
  /** `2026-03-01 09:00:00 +01:00 (08:00:00 UTC)`; once where they are the same. */
  both(seconds: number): string;
  /** From one time to another, with a day only where it is another one. */
  span(from: number, to: number): string;
  /** `09:00`, with seconds where they are asked for; and the day, `1 Mar`. */
  clock(seconds: number, withSeconds: boolean, inUtc?: boolean): string;
  day(seconds: number, inUtc?: boolean): string;
  /** Seconds that the zone is ahead of UTC. */
  ahead(seconds: number): number;
}

/** @param zone - IANA name. @throws RangeError for a zone that does not exist. */
export function timesIn(zone: string): Times {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const ahead = (seconds: number): number => {
    const found = Object.fromEntries(parts.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, minute, second } = found;
    const there = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
    return Math.round(there / 1000) - Math.floor(seconds);
  };
  const shifted = (seconds: number, inUtc = false): string =>
    new Date((seconds + (inUtc ? 0 : ahead(seconds))) * 1000).toISOString();
  const day = (seconds: number, inUtc?: boolean): string => shifted(seconds, inUtc).slice(0, 10);
  const clock = (seconds: number, withSeconds: boolean, inUtc?: boolean): string =>
    shifted(seconds, inUtc).slice(11, withSeconds ? 19 : 16);
  /** With the day unless it is the one that was just said. */
  const after = (said: string, seconds: number, inUtc: boolean): string =>
    `${day(seconds, inUtc) === said ? "" : `${day(seconds, inUtc)} `}${clock(seconds, true, inUtc)}`;
  const utc = (seconds: number): string => `${after("", seconds, true)} UTC`;
  const local = (seconds: number): string => `${after("", seconds, false)} ${offset(ahead(seconds))}`;
  const range = (from: number, to: number, said: string, inUtc: boolean): string =>
    `${after(said, from, inUtc)} to ${after(day(from, inUtc), to, inUtc)}`;
  return {
    zone,
    local,
    utc,
    both: (seconds) =>
      ahead(seconds) === 0 ? utc(seconds) : `${local(seconds)} (${after(day(seconds), seconds, true)} UTC)`,
    span: (from, to) =>
      ahead(from) === 0 && ahead(to) === 0
        ? `${range(from, to, "", true)} UTC`
        : `${range(from, to, "", false)} ${offset(ahead(to))} (${range(from, to, day(from), true)} UTC)`,
    clock,
    day,
    ahead,
  };
}

function offset(ahead: number): string {
  const minutes = Math.abs(Math.round(ahead / 60));
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${ahead < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `8 min 1 s`: the two largest units that are not nothing. */
export function length(seconds: number): string {
  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ] as const;
  let left = Math.round(seconds);
  const said: string[] = [];
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    if (count > 0) said.push(`${count}\u00a0${unit}`);
    left -= count * size;
  }
  return said.slice(0, 2).join("\u00a0") || "0\u00a0s";
}
