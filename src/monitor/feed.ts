import { MalformedError } from "../errors.ts";
import type { OfPatient } from "../feed/monitor-lines.ts";
import { parseInstant } from "../observation/instant.ts";
import { COMPARATORS, STATUSES, type Code, type Observation } from "../observation/observation.ts";

/** A reading as it comes from a gateway's feed. */
export interface FeedLine {
  /** Name of the patient, or the first digits of the plan's id; not there when there is one plan only. */
  readonly patient: string | undefined;
  readonly recorded: Observation;
}

/**
 * One line of a feed: a reading in the form in which `medseal read --format ndjson` prints it, and whose it is.
 *
 * @throws MalformedError that names the field and never what stands in it.
 */
export function parseFeed(line: string): FeedLine {
  const { patient, ...reading } = fields(parsed(line), "the line");
  if (patient !== undefined && typeof patient !== "string") fail("patient");
  return { patient, recorded: readingIn(reading) };
}

/** What one line of a running gateway brings; see `messageLine`. */
export interface GatewayMessage {
  readonly place: number;
  readonly patients: readonly OfPatient[];
  /** Readings that are none. */
  readonly refused: number;
}

/**
 * One line of a running gateway. A reading in it that is none leaves the others.
 *
 * @throws MalformedError that names the field and never what stands in it.
 */
export function parseGatewayLine(line: Buffer): GatewayMessage {
  const { place, patients } = fields(parsed(line.toString("utf8")), "the line");
  if (typeof place !== "number" || !Number.isSafeInteger(place) || place < 0) fail("place");
  let refused = 0;
  const readingsOf = (one: unknown): Observation[] => {
    try {
      return [readingIn(one)];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      refused += 1;
      return [];
    }
  };
  const all = list(patients, "patients").map((one): OfPatient => {
    const { grantor, readings } = fields(one, "a patient");
    if (typeof grantor !== "string") fail("grantor");
    return { grantor, readings: list(readings, "readings").flatMap(readingsOf) };
  });
  return { place, patients: all, refused };
}

function readingIn(reading: unknown): Observation {
  const { channel, time, status = "final", value: measured } = fields(reading, "a reading");
  const { code, component, unit } = fields(channel, "channel");
  if (typeof unit !== "string") fail("unit");
  if (typeof time !== "string" || parseInstant(time) === undefined) fail("time");
  const found = STATUSES.find((one) => one === status) ?? fail("status");
  const part = component === undefined ? {} : { component: codeOf(component) };
  return {
    channel: { code: codeOf(code), ...part, unit },
    time,
    status: found,
    value: valueOf(fields(measured, "value")),
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return fail("not JSON");
  }
}

function valueOf({ kind, decimal, comparator = "", reason, source = "", value }: Fields): Observation["value"] {
  if (kind === "quantity") {
    if (typeof decimal !== "string") fail("decimal");
    return { kind, decimal, comparator: COMPARATORS.find((one) => one === comparator) ?? fail("comparator") };
  }
  if (kind === "missing") {
    if (typeof reason !== "string" || typeof source !== "string") fail("reason");
    return { kind, reason, source };
  }
  if (kind === "boolean" && typeof value === "boolean") return { kind, value };
  return fail("kind of value");
}

function codeOf(value: unknown): Code {
  const { system, code } = fields(value, "code");
  if (typeof system !== "string" || typeof code !== "string" || code === "") fail("code");
  return { system, code };
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) fail(what);
  return value as Fields;
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(what);
}

function fail(what: string): never {
  throw new MalformedError("feed", 0, `${what} is missing or not as it should be`);
}
