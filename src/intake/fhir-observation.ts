import { STATUSES, type Channel, type Observation, type Status } from "../observation/observation.ts";
import { isTimed, type SourceClock, type Timed } from "./clock.ts";
import { changesMeaning, firstCode, objectOf, textOf } from "./fhir-element.ts";
import { isMeasured, readFhirValue, type ValueContext } from "./fhir-value.ts";
import { isJsonObject, member, type JsonObject, type JsonValue } from "./json.ts";
import { NAME_LENGTH } from "./limits.ts";
import type { TimeOrder } from "./order.ts";
import type { Problem } from "./types.ts";
import { unitFitsCode } from "./units-of-codes.ts";

/** What one file's resources share. */
export interface FhirContext extends ValueContext {
  readonly clock: SourceClock;
  readonly order: TimeOrder;
  /** Refuses a second person within one file: their readings must not end in one stream. */
  readonly subject: SubjectCheck;
}

export interface SubjectCheck {
  admit(reference: string): boolean;
}

export function oneSubject(): SubjectCheck {
  let first: string | undefined;
  return { admit: (reference) => (first ??= reference) === reference };
}

/** One outcome of a resource; `path` is relative to it, `""` for the resource itself. */
export type FhirOutcome =
  | { readonly path: string; readonly observation: Observation; readonly device?: string }
  | { readonly path: string; readonly problem: Problem };

/** Reads a FHIR R4 Observation: its own value, and each component as a channel of its own. */
export function* readObservation(resource: JsonObject, context: FhirContext): Generator<FhirOutcome, void, undefined> {
  const head = readHead(resource, context);
  if ("problem" in head) return yield { path: "", problem: head.problem };
  const { code, status, timed, device } = head;
  let found = false;
  for (const { element, path } of elementsOf(resource)) {
    const outcome = readElement(element, path, code, context);
    if (!outcome) continue;
    found = true;
    if ("code" in outcome) {
      yield { path, problem: outcome };
      continue;
    }
    const late = context.order.admit(outcome.channel, timed.instant);
    if (late) yield { path, problem: late };
    else
      yield {
        path,
        observation: { ...outcome, time: timed.time, status },
        ...(device === undefined ? {} : { device }),
      };
  }
  if (!found) {
    const reason = Object.hasOwn(resource, "hasMember") ? "no value: a panel that only refers to others" : "no value";
    yield { path: "", problem: { code: "ERR_FHIR_NO_VALUE", reason } };
  }
}

interface Head {
  readonly code: Channel["code"];
  readonly status: Status;
  readonly timed: Timed;
  readonly device?: string;
}

function readHead(resource: JsonObject, context: FhirContext): Head | { problem: Problem } {
  const fail = (code: Problem["code"], reason: string): { problem: Problem } => ({ problem: { code, reason } });
  if (changesMeaning(resource)) return fail("ERR_FHIR_MODIFIER", "a modifier is set that is not understood");
  const status = STATUSES.find((known) => known === member(resource, "status"));
  if (status === undefined) return fail("ERR_FHIR_STATUS", "the status says that the value is not to be used");
  const code = firstCode(resource);
  if (!code) return fail("ERR_CODE", "the first coding lacks its system or code");
  const subject = objectOf(resource, "subject");
  const person =
    subject && (textOf(member(subject, "reference")) ?? JSON.stringify(member(subject, "identifier") ?? null));
  if (person !== undefined && !context.subject.admit(person)) {
    return fail("ERR_FHIR_SUBJECT", "the subject is another than that of the readings before");
  }
  const timed = readTime(resource, context.clock);
  if (!isTimed(timed)) return { problem: timed };
  const found = objectOf(resource, "device");
  const device = found && (textOf(member(found, "reference")) ?? textOf(member(found, "display")));
  return { code, status, timed, ...(device === undefined ? {} : { device: device.slice(0, NAME_LENGTH) }) };
}

function readTime(resource: JsonObject, clock: SourceClock): Timed | Problem {
  const kinds = Object.keys(resource).filter((key) => /^effective[A-Z]/.test(key));
  const [kind] = kinds;
  if (kind === undefined) return { code: "ERR_TIME_ABSENT", reason: "there is no effective time" };
  if (kinds.length > 1) return { code: "ERR_FHIR_SHAPE", reason: "more than one effective time" };
  if (kind === "effectivePeriod")
    return { code: "ERR_TIME_PERIOD", reason: "the effective time is a period, not an instant" };
  const text = textOf(member(resource, kind));
  if (text === undefined || (kind !== "effectiveDateTime" && kind !== "effectiveInstant")) {
    return { code: "ERR_TIME", reason: "the effective time is not an instant" };
  }
  if (/^\d{4}(-\d{2}){0,2}$/.test(text))
    return { code: "ERR_TIME_PARTIAL", reason: "the effective time is a date without a time" };
  return clock.read(text);
}

/** The resource itself, then its components. What is not an object comes as one without members, so that it is refused, not lost. */
function elementsOf(resource: JsonObject): { element: JsonObject; path: string }[] {
  const components = member(resource, "component") ?? [];
  const list: readonly JsonValue[] = Array.isArray(components) ? (components as readonly JsonValue[]) : [components];
  return [
    { element: resource, path: "" },
    ...list.map((component, i) => ({ element: isJsonObject(component) ? component : {}, path: `component[${i}]` })),
  ];
}

function readElement(
  element: JsonObject,
  path: string,
  code: Channel["code"],
  context: FhirContext,
): Pick<Observation, "channel" | "value"> | Problem | undefined {
  const component = path === "" ? undefined : firstCode(element);
  if (path !== "") {
    if (changesMeaning(element))
      return { code: "ERR_FHIR_MODIFIER", reason: "a modifier is set that is not understood" };
    if (!component) return { code: "ERR_CODE", reason: "the first coding of the component lacks its system or code" };
  }
  const names = component ? { code, component } : { code };
  const measured = readFhirValue(element, names, context);
  if (!measured) return path === "" ? undefined : { code: "ERR_FHIR_NO_VALUE", reason: "the component has no value" };
  if (!isMeasured(measured)) return measured;
  const channel: Channel = { ...names, unit: measured.unit };
  // Sampled data counts raw units of a converter, and what is absent or true has none to check.
  if (measured.value.kind === "quantity" && !unitFitsCode(channel)) {
    return { code: "ERR_UNIT_OF_CODE", reason: "the unit does not fit the code" };
  }
  return { channel, value: measured.value };
}
