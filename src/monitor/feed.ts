import { MalformedError } from "../errors.ts";
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
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return fail("not JSON");
  }
  const { patient, channel, time, status = "final", value: measured } = fields(value, "the line");
  if (patient !== undefined && typeof patient !== "string") fail("patient");
  const { code, component, unit } = fields(channel, "channel");
  if (typeof unit !== "string") fail("unit");
  if (typeof time !== "string" || parseInstant(time) === undefined) fail("time");
  const found = STATUSES.find((one) => one === status) ?? fail("status");
  const part = component === undefined ? {} : { component: codeOf(component) };
  const recorded = {
    channel: { code: codeOf(code), ...part, unit },
    time,
    status: found,
    value: valueOf(fields(measured, "value")),
  };
  return { patient, recorded };
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

function fail(what: string): never {
  throw new MalformedError("feed", 0, `${what} is missing or not as it should be`);
}
