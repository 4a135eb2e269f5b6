import { clockFor, type SourceClock } from "./clock.ts";
import { oneSubject, readObservation, type FhirContext } from "./fhir-observation.ts";
import { isJsonObject, member, parseJson, type JsonOutcome, type JsonValue } from "./json.ts";
import { JsonSplitter, type Piece } from "./json-split.ts";
import type { Limits } from "./limits.ts";
import { readLines } from "./lines.ts";
import { anyOrder } from "./order.ts";
import { readChunks } from "./source.ts";
import type { Intake, IntakeOptions, IntakeRow, Problem } from "./types.ts";
import { unitCheck } from "./ucum.ts";

/** @throws UsageError when a start or zone is given: FHIR states instants. */
export function openFhir(
  file: string,
  format: "fhir-json" | "fhir-ndjson",
  options: IntakeOptions,
  limits: Limits,
): Intake {
  const clock = clockFor("instant", file, options, limits);
  const rows = async function* (): AsyncGenerator<IntakeRow> {
    const source = new FhirRows(file, limits, contextOf(clock, limits));
    yield* format === "fhir-json" ? documentRows(file, limits, source) : lineRows(file, limits, source);
  };
  const batches = async function* (): AsyncGenerator<readonly IntakeRow[]> {
    for await (const row of rows()) yield [row];
  };
  return { file, format, preset: "fhir-r4", clock: clock.clock, rows, batches };
}

const contextOf = (clock: SourceClock, limits: Limits): FhirContext => ({
  clock,
  limits,
  order: anyOrder(limits),
  subject: oneSubject(),
  unitKnown: unitCheck(),
});

/** One JSON document: an Observation, or a Bundle of any length. */
async function* documentRows(file: string, limits: Limits, source: FhirRows): AsyncGenerator<IntakeRow> {
  const splitter = new JsonSplitter(limits);
  for await (const chunk of readChunks(file)) {
    for (const piece of splitter.push(chunk)) yield* source.piece(piece);
    if (splitter.lost) return;
  }
  for (const piece of splitter.end()) yield* source.piece(piece);
}

/** One resource a line. */
async function* lineRows(file: string, limits: Limits, source: FhirRows): AsyncGenerator<IntakeRow> {
  for await (const lines of readLines(file, { ...limits, line: Math.max(limits.line, limits.entry) })) {
    for (const { number, text, problem } of lines) {
      if (!problem && text.trim() === "") continue;
      const at = { line: number, path: "", text };
      if (problem) yield source.refuse(at, problem);
      else yield* source.resource(parseJson(Buffer.from(text), limits), at);
    }
  }
}

/** Where a resource stands, and how. */
interface Place {
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

/** Makes rows of resources; one for each pass over a file. */
class FhirRows {
  readonly #file: string;
  readonly #limits: Limits;
  readonly #context: FhirContext;

  constructor(file: string, limits: Limits, context: FhirContext) {
    this.#file = file;
    this.#limits = limits;
    this.#context = context;
  }

  *piece(piece: Piece): Generator<IntakeRow, void, undefined> {
    const path = piece.kind === "entry" || (piece.kind === "lost" && piece.index > 0) ? `entry[${piece.index}]` : "";
    const place: Place = { line: piece.line, path, text: piece.bytes.toString("utf8", 0, this.#limits.quarantineText) };
    if (piece.problem) return yield this.refuse(place, piece.problem);
    const outcome = parseJson(piece.bytes, this.#limits);
    if (piece.kind === "entry") yield* this.#entry(outcome, place);
    else yield* this.resource(outcome, place, piece.index);
  }

  /**
   * A resource that stands by itself. A Bundle's entries, if they were not cut out before, are read too.
   *
   * @param cut - How many entries were cut out before.
   */
  *resource(outcome: JsonOutcome, place: Place, cut = 0): Generator<IntakeRow, void, undefined> {
    // Where entries were cut out, lines behind them can no longer be counted.
    const line = outcome.ok || cut > 0 ? place.line : place.line + outcome.line - 1;
    if (!outcome.ok) return yield this.refuse({ ...place, line }, outcome.problem);
    const { value } = outcome;
    if (!isJsonObject(value)) return yield this.refuse(place, { code: "ERR_FHIR_TYPE", reason: "not a FHIR resource" });
    if (member(value, "resourceType") !== "Bundle") return yield* this.#observation(value, place);
    const entries = member(value, "entry") ?? [];
    const list = Array.isArray(entries) ? (entries as readonly JsonValue[]) : undefined;
    if (!list) return yield this.refuse(place, { code: "ERR_FHIR_SHAPE", reason: "entry is not a list" });
    if (list.length + cut === 0)
      return yield this.refuse(place, { code: "ERR_FHIR_SHAPE", reason: "the bundle is empty" });
    for (const [i, entry] of list.entries()) {
      yield* this.#entry({ ok: true, value: entry }, { ...place, path: `entry[${i}]` });
    }
  }

  *#entry(outcome: JsonOutcome, place: Place): Generator<IntakeRow, void, undefined> {
    if (!outcome.ok) return yield this.refuse({ ...place, line: place.line + outcome.line - 1 }, outcome.problem);
    const resource = isJsonObject(outcome.value) ? member(outcome.value, "resource") : undefined;
    if (!isJsonObject(resource))
      return yield this.refuse(place, { code: "ERR_FHIR_SHAPE", reason: "the entry holds no resource" });
    yield* this.#observation(resource, { ...place, path: `${place.path}.resource` });
  }

  *#observation(resource: JsonValue, place: Place): Generator<IntakeRow, void, undefined> {
    if (!isJsonObject(resource) || member(resource, "resourceType") !== "Observation") {
      return yield this.refuse(place, { code: "ERR_FHIR_TYPE", reason: "the resource is not an Observation" });
    }
    for (const outcome of readObservation(resource, this.#context)) {
      const path = [place.path, outcome.path].filter((part) => part !== "").join(".");
      if ("problem" in outcome) {
        yield this.refuse({ ...place, path }, outcome.problem);
        continue;
      }
      const { observation, device } = outcome;
      const at = { file: this.#file, line: place.line, ...(path === "" ? {} : { path }) };
      yield { kind: "observation", observation, at, ...(device === undefined ? {} : { device }) };
    }
  }

  refuse({ line, path, text }: Place, problem: Problem): IntakeRow {
    const at = { file: this.#file, line, ...(path === "" ? {} : { path }) };
    return { kind: "quarantined", at, ...problem, text: text.slice(0, this.#limits.quarantineText) };
  }
}
