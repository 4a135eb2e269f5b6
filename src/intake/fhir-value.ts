import { COMPARATORS, type Code, type SampledData, type Value } from "../observation/observation.ts";
import { isDecimal } from "./decimal.ts";
import { codingsOf, objectOf, textOf } from "./fhir-element.ts";
import { member, numberText, type JsonObject } from "./json.ts";
import { NAME_LENGTH, type Limits } from "./limits.ts";
import type { Problem } from "./types.ts";
import type { UnitCheck } from "./ucum.ts";
import { usualUnit } from "./units-of-codes.ts";

export const UCUM = "http://unitsofmeasure.org";
const ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
const REASON = /^[a-z-]{1,32}$/;

export interface Measured {
  readonly value: Value;
  readonly unit: string;
}

export interface ValueContext {
  readonly limits: Limits;
  readonly unitKnown: UnitCheck;
}

export const isMeasured = (found: Measured | Problem): found is Measured => "value" in found;

/**
 * Reads `value[x]` or `dataAbsentReason` of an Observation or one of its components.
 *
 * @returns undefined when it has neither.
 */
export function readFhirValue(
  element: JsonObject,
  channel: { code: Code; component?: Code },
  context: ValueContext,
): Measured | Problem | undefined {
  const kinds = Object.keys(element).filter((key) => /^value[A-Z]/.test(key));
  const absent = Object.hasOwn(element, "dataAbsentReason");
  const [kind] = kinds;
  if (kinds.length > 1) return shape("more than one value");
  if (kind === undefined) return absent ? readAbsent(element, channel) : undefined;
  if (absent) return shape("a value and a reason why there is none");
  if (kind === "valueBoolean") {
    const value = member(element, kind);
    return typeof value === "boolean"
      ? { value: { kind: "boolean", value }, unit: "" }
      : shape("valueBoolean is not a boolean");
  }
  const object = objectOf(element, kind);
  if (kind === "valueQuantity") return object ? readQuantity(object, context) : shape("valueQuantity is not an object");
  if (kind === "valueSampledData")
    return object ? readSampled(object, context) : shape("valueSampledData is not an object");
  return { code: "ERR_FHIR_VALUE", reason: `${kind.slice(0, 40)} is not a kind of value that is taken in` };
}

const shape = (reason: string): Problem => ({ code: "ERR_FHIR_SHAPE", reason });

/** An absent value states no unit: it gets the usual one of its code, and none where the code is not known. */
function readAbsent(element: JsonObject, channel: { code: Code; component?: Code }): Measured {
  const codings = codingsOf(element, "dataAbsentReason");
  const standard = codings.find((coding) => member(coding, "system") === ABSENT);
  const code = standard && textOf(member(standard, "code"));
  const reason = code !== undefined && REASON.test(code) ? code : "unknown";
  const stood = code ?? textOf(codings[0] && member(codings[0], "code")) ?? "";
  return { value: { kind: "missing", reason, source: stood.slice(0, NAME_LENGTH) }, unit: usualUnit(channel) ?? "" };
}

function readQuantity(quantity: JsonObject, { limits, unitKnown }: ValueContext): Measured | Problem {
  const decimal = numberText(member(quantity, "value"));
  if (decimal === undefined || !isDecimal(decimal, limits.decimal)) {
    return { code: "ERR_NUMBER", reason: "the quantity holds no number" };
  }
  const comparator = COMPARATORS.find((known) => known === (member(quantity, "comparator") ?? ""));
  if (comparator === undefined) return shape("the comparator is none of < <= >= >");
  if (member(quantity, "system") !== UCUM) return { code: "ERR_UNIT", reason: "the unit is not stated in UCUM" };
  const unit = textOf(member(quantity, "code")) ?? "";
  if (!unitKnown(unit)) return { code: "ERR_UNIT", reason: "the unit is not a UCUM code" };
  return { value: { kind: "quantity", decimal, comparator }, unit };
}

/** Samples: decimals, or E (error), U (above the upper limit), L (below the lower), with one blank between (FHIR R4, 2.24.0.8). */
const SAMPLES =
  /^(?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[EUL])(?: (?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|[EUL]))*$/;

function readSampled(sampled: JsonObject, { limits, unitKnown }: ValueContext): Measured | Problem {
  const origin = objectOf(sampled, "origin");
  if (!origin) return shape("sampled data has no origin");
  const number = (object: JsonObject, key: string): string | undefined => {
    if (!Object.hasOwn(object, key)) return "";
    const text = numberText(member(object, key));
    return text !== undefined && isDecimal(text, limits.decimal) ? text : undefined;
  };
  const numbers = {
    origin: number(origin, "value"),
    period: number(sampled, "period"),
    factor: number(sampled, "factor"),
    lowerLimit: number(sampled, "lowerLimit"),
    upperLimit: number(sampled, "upperLimit"),
  };
  if (Object.values(numbers).includes(undefined) || numbers.origin === "" || numbers.period === "") {
    return { code: "ERR_NUMBER", reason: "a number of the sampled data is none" };
  }
  const dimensions = Number(numberText(member(sampled, "dimensions")) ?? 0);
  const data = textOf(member(sampled, "data"));
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 0xffff)
    return shape("dimensions is not a small positive integer");
  if (data === undefined) return shape("sampled data without data");
  if (!SAMPLES.test(data)) return { code: "ERR_NUMBER", reason: "a sample is neither a number nor E, U or L" };
  if (data.split(" ").length % dimensions !== 0) return shape("the number of samples is no multiple of the dimensions");
  const unit = unitOfOrigin(origin, unitKnown);
  if (unit === undefined) return { code: "ERR_UNIT", reason: "the unit of the origin is not a UCUM code" };
  return { value: { kind: "sampled", sampled: { ...(numbers as SampledNumbers), dimensions, data } }, unit };
}

type SampledNumbers = Pick<SampledData, "origin" | "period" | "factor" | "lowerLimit" | "upperLimit">;

/** Raw counts of a converter have no unit at all; a unit that is stated must be UCUM. */
function unitOfOrigin(origin: JsonObject, unitKnown: UnitCheck): string | undefined {
  if (!["unit", "system", "code"].some((key) => Object.hasOwn(origin, key))) return "";
  const unit = textOf(member(origin, "code")) ?? "";
  return member(origin, "system") === UCUM && unitKnown(unit) ? unit : undefined;
}
