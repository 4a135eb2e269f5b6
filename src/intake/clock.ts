import { UsageError } from "../errors.ts";
import { formatInstant, parseInstant, type Instant } from "../observation/instant.ts";
import type { Clock } from "../observation/observation.ts";
import { addFixed, fixedPoint, type FixedPoint } from "./decimal.ts";
import type { Limits } from "./limits.ts";
import type { IntakeOptions, Problem } from "./types.ts";
import { zoneOf, type Zone } from "./zone.ts";

/** What a source's times are: instants with an offset, seconds from a start, or local times without a zone. */
export type TimeKind = "instant" | "seconds" | "local";

/** An effective time: its text, and the instant it names. */
export interface Timed {
  readonly time: string;
  readonly instant: Instant;
}

export const isTimed = (outcome: Timed | Problem): outcome is Timed => "instant" in outcome;

export interface SourceClock {
  readonly clock: Clock;
  read(text: string): Timed | Problem;
}

/** Digits behind the point that an instant can hold. */
const LONGEST_FRACTION = 9;
/** 9999-12-31T23:59:59Z */
const LAST_SECOND = 253_402_300_799n;
const LOCAL = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)$/;

/**
 * The clock for a file whose times are of `kind`. Neither start nor zone is guessed, and one that does not apply is refused.
 *
 * @throws UsageError when the start or zone that the file needs is absent, malformed, or given without need.
 */
export function clockFor(kind: TimeKind, file: string, options: IntakeOptions, limits: Limits): SourceClock {
  const { start, zone } = options;
  if (start !== undefined && kind !== "seconds") throw needless(file, kind, "--start");
  if (zone !== undefined && kind !== "local") throw needless(file, kind, "--tz");
  if (kind === "instant") return { clock: { kind: "source" }, read: readInstant };
  if (kind === "local") {
    if (zone === undefined) {
      const hint = "say where the clock stood with --tz, for example --tz Europe/Berlin";
      throw new UsageError(`${file} has local times without a zone`, { hint });
    }
    const of = zoneOf(zone);
    return { clock: { kind: "zone", zone }, read: (text) => readLocal(text, of) };
  }
  if (start === undefined) {
    const hint = "say when it began with --start, for example --start 2026-03-01T08:00:00+01:00";
    throw new UsageError(`${file} counts seconds from the start of the recording`, { hint });
  }
  const from = parseInstant(start);
  if (!from) {
    const hint = "write it with seconds and offset, for example 2026-03-01T08:00:00+01:00";
    throw new UsageError("--start is not an RFC 3339 instant", { hint });
  }
  return { clock: { kind: "start", start }, read: (text) => readSeconds(text, from, limits) };
}

const STATED = {
  instant: "states its times with their offset",
  seconds: "counts seconds from its start",
  local: "states local times",
} as const;

const needless = (file: string, kind: TimeKind, option: string): UsageError =>
  new UsageError(`${file} ${STATED[kind]}, so ${option} does not apply`, { hint: `leave ${option} out` });

function readInstant(text: string): Timed | Problem {
  if (text === "") return absent;
  const instant = parseInstant(text);
  if (instant) return after1970({ time: text, instant });
  if (LOCAL.test(text)) return { code: "ERR_TIME", reason: "the time has no offset" };
  return { code: "ERR_TIME", reason: "the time is not an RFC 3339 instant" };
}

function readLocal(text: string, zone: Zone): Timed | Problem {
  if (text === "") return absent;
  const match = LOCAL.exec(text);
  const local = match && parseInstant(`${match[1]}T${match[2]}Z`);
  if (!local) return { code: "ERR_TIME", reason: "the time is not of the form YYYY-MM-DD hh:mm:ss" };
  const [offset, other] = zone.offsets(local.seconds);
  if (offset === undefined) {
    return { code: "ERR_TIME_NONEXISTENT", reason: "clocks were set forward over this local time" };
  }
  if (other !== undefined) {
    return { code: "ERR_TIME_AMBIGUOUS", reason: "clocks were set back, this local time came twice" };
  }
  if (offset % 60 !== 0) return { code: "ERR_TIME", reason: "the zone's offset at this time is not of whole minutes" };
  const instant = { ...local, seconds: local.seconds - offset, offset: offsetText(offset / 60) };
  return after1970({ time: formatInstant(instant), instant });
}

function offsetText(minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

function readSeconds(text: string, start: Instant, limits: Limits): Timed | Problem {
  if (text === "") return absent;
  const elapsed = fixedPoint(text, limits.decimal);
  if (!elapsed) return { code: "ERR_TIME", reason: "the time is not a number of seconds" };
  const from: FixedPoint = { whole: BigInt(start.seconds), digits: start.fraction };
  const { whole, digits } = addFixed(from, elapsed);
  if (digits.length > LONGEST_FRACTION) {
    return { code: "ERR_TIME", reason: `the time has more than ${LONGEST_FRACTION} digits behind the point` };
  }
  if (whole < 0n) return before1970;
  if (whole > LAST_SECOND) return { code: "ERR_TIME", reason: "the time lies beyond the year 9999" };
  const instant = { seconds: Number(whole), fraction: digits, offset: start.offset };
  return after1970({ time: formatInstant(instant), instant });
}

const absent: Problem = { code: "ERR_TIME_ABSENT", reason: "there is no time" };
const before1970: Problem = { code: "ERR_TIME_BEFORE_1970", reason: "the time lies before 1970" };

/** `time` is parsed again because an offset can carry it out of the years that its text can hold. */
function after1970(timed: Timed): Timed | Problem {
  if (timed.instant.seconds < 0) return before1970;
  return parseInstant(timed.time) ? timed : { code: "ERR_TIME", reason: "the time lies beyond the year 9999" };
}
