import { UsageError } from "../errors.ts";

const DAY = 86_400;
/** Offsets change at whole quarters of an hour at most, so one look-up serves a quarter. */
const QUARTER = 900;
const REMEMBERED = 4096;

/** Seconds east of UTC at an instant given in Unix seconds. */
type OffsetAt = (seconds: number) => number;

export interface Zone {
  /**
   * The offsets under which a wall clock shows a local time: one as a rule, two when clocks are set back, none when they are set forward.
   *
   * @param local - The local time read as if it were UTC, in Unix seconds.
   * @returns offsets in seconds east of UTC.
   */
  offsets(local: number): number[];
}

/** @throws UsageError when the runtime's tz database has no such zone. */
export function zoneOf(name: string): Zone {
  const offsetAt = offsetsOf(name);
  return {
    offsets: (local) =>
      [...new Set([offsetAt(local - DAY), offsetAt(local + DAY)])].filter(
        (offset) => offsetAt(local - offset) === offset,
      ),
  };
}

function offsetsOf(name: string): OffsetAt {
  const format = formatOf(name);
  const known = new Map<number, number>();
  return (seconds) => {
    const quarter = Math.floor(seconds / QUARTER);
    let offset = known.get(quarter);
    if (offset === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      offset = readOffset(format, quarter * QUARTER);
      known.set(quarter, offset);
    }
    return offset;
  };
}

function formatOf(name: string): Intl.DateTimeFormat {
  const hint = "give --tz an IANA name, for example Europe/Berlin or America/New_York";
  if (!/^[A-Za-z]/.test(name)) throw new UsageError(`"${name}" is not an IANA time zone`, { hint });
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (cause) {
    throw new UsageError(`"${name}" is not an IANA time zone`, { hint, cause });
  }
}

/** `longOffset` reads `GMT`, `GMT-05:00` or, before 1972 in one zone, `GMT-00:44:30`. */
function readOffset(format: Intl.DateTimeFormat, seconds: number): number {
  const name = format.formatToParts(seconds * 1000).find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const [, sign, hours = "0", minutes = "0", rest = "0"] =
    /^GMT(?:([+-−])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name) ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return sign === undefined || sign === "+" ? size : -size;
}
