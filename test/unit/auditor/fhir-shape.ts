/** What FHIR R4 asks of an element: how often it may be there, and of what form. */
interface Rule {
  readonly min: 0 | 1;
  readonly many?: true;
  readonly is: (value: unknown) => string | undefined;
}
type Shape = Readonly<Record<string, Rule>>;

const text = (form: RegExp) => (value: unknown) =>
  typeof value === "string" && form.test(value) ? undefined : `"${JSON.stringify(value)}" is not of the form ${form}`;
const oneOf = (...codes: string[]) => text(new RegExp(`^(?:${codes.join("|")})$`));
const object = (shape: Shape) => (value: unknown) => problemOf(value, shape);
const need = (is: Rule["is"]): Rule => ({ min: 1, is });
const may = (is: Rule["is"]): Rule => ({ min: 0, is });
const list = (min: 0 | 1, is: Rule["is"]): Rule => ({ min, many: true, is });

const string = text(/\S/);
const uri = text(/^\S+$/);
const code = text(/^\S+(?: \S+)*$/);
const boolean = (value: unknown) => (typeof value === "boolean" ? undefined : "no boolean");
const instant = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/);
const dateTime = text(/^\d{4}(?:-\d\d(?:-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|-\d\d)?)?$/);
const anything = (): undefined => undefined;

const Coding = object({
  system: may(uri),
  version: may(string),
  code: may(code),
  display: may(string),
  userSelected: may(boolean),
});
const CodeableConcept = object({ coding: list(0, Coding), text: may(string) });
const Period = object({ start: may(dateTime), end: may(dateTime) });
const Identifier = object({
  use: may(code),
  type: may(CodeableConcept),
  system: may(uri),
  value: may(string),
  period: may(Period),
});
const Reference = object({ reference: may(string), type: may(uri), identifier: may(Identifier), display: may(string) });

const resource: Shape = {
  resourceType: need(string),
  meta: may(anything),
  text: may(anything),
  contained: list(0, anything),
};

/** The parts of AuditEvent and Provenance in R4, https://hl7.org/fhir/R4: cardinalities, primitive types and required value sets. */
const RESOURCES: Readonly<Record<string, Shape>> = {
  AuditEvent: {
    ...resource,
    type: need(Coding),
    subtype: list(0, Coding),
    action: may(oneOf("C", "R", "U", "D", "E")),
    period: may(Period),
    recorded: need(instant),
    outcome: may(oneOf("0", "4", "8", "12")),
    outcomeDesc: may(string),
    purposeOfEvent: list(0, CodeableConcept),
    agent: list(
      1,
      object({
        type: may(CodeableConcept),
        role: list(0, CodeableConcept),
        who: may(Reference),
        altId: may(string),
        name: may(string),
        requestor: need(boolean),
        location: may(Reference),
        policy: list(0, uri),
        media: may(Coding),
        network: may(object({ address: may(string), type: may(oneOf("1", "2", "3", "4", "5")) })),
        purposeOfUse: list(0, CodeableConcept),
      }),
    ),
    source: need(object({ site: may(string), observer: need(Reference), type: list(0, Coding) })),
    entity: list(
      0,
      object({
        what: may(Reference),
        type: may(Coding),
        role: may(Coding),
        lifecycle: may(Coding),
        securityLabel: list(0, Coding),
        name: may(string),
        description: may(string),
        query: may(text(/^[A-Za-z0-9+/=\s]+$/)),
        detail: list(0, object({ type: need(string), valueString: may(string), valueBase64Binary: may(string) })),
      }),
    ),
  },
  Provenance: {
    ...resource,
    target: list(1, Reference),
    occurredPeriod: may(Period),
    occurredDateTime: may(dateTime),
    recorded: need(instant),
    policy: list(0, uri),
    location: may(Reference),
    reason: list(0, CodeableConcept),
    activity: may(CodeableConcept),
    agent: list(
      1,
      object({
        type: may(CodeableConcept),
        role: list(0, CodeableConcept),
        who: need(Reference),
        onBehalfOf: may(Reference),
      }),
    ),
    entity: list(
      0,
      object({
        role: need(oneOf("derivation", "revision", "quotation", "source", "removal")),
        what: need(Reference),
        agent: list(0, anything),
      }),
    ),
    signature: list(0, anything),
  },
};

/** What keeps a value from being this resource, or undefined. */
export function fhirProblem(value: unknown): string | undefined {
  const type = (value as { resourceType?: string } | null)?.resourceType ?? "";
  const shape = RESOURCES[type];
  return shape === undefined ? `no resource: ${type}` : problemOf(value, shape);
}

function problemOf(value: unknown, shape: Shape): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "no object";
  const entries = Object.entries(value);
  if (entries.length === 0) return "empty";
  for (const [name, found] of entries) {
    const rule = shape[name];
    if (name.startsWith("_") || name === "extension" || name === "id") continue;
    if (rule === undefined) return `${name} does not exist`;
    if (rule.many === undefined && Array.isArray(found)) return `${name} comes once`;
    if (rule.many && !(Array.isArray(found) && found.length > 0)) return `${name} is no list, or an empty one`;
    for (const one of rule.many ? (found as unknown[]) : [found]) {
      const problem = rule.is(one);
      if (problem !== undefined) return `${name}: ${problem}`;
    }
  }
  const absent = Object.entries(shape).find(([name, { min }]) => min === 1 && !Object.hasOwn(value, name));
  return absent === undefined ? undefined : `${absent[0]} is missing`;
}
