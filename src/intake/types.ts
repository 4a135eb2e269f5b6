import type { Channel, Clock, Observation } from "../observation/observation.ts";
import type { Limits } from "./limits.ts";
import type { Mapping } from "./mapping.ts";

export interface IntakeOptions {
  /** RFC 3339 instant from which a file's seconds count. */
  readonly start?: string;
  /** IANA time zone of a file's local times. */
  readonly zone?: string;
  /** What a CSV's columns mean, where no preset knows it. */
  readonly mapping?: Mapping;
  readonly limits?: Partial<Limits>;
}

export interface SourcePosition {
  readonly file: string;
  /** 1-based. In a JSON document the line where the entry begins. */
  readonly line: number;
  /** CSV: the column's name. */
  readonly column?: string;
  /** JSON: where the value stands, `entry[3].resource.component[0]`. */
  readonly path?: string;
}

/** Why a row, or one value of it, was not taken in. Stable: branch on these. */
export type QuarantineCode =
  | "ERR_ROW_COLUMNS"
  | "ERR_ROW_TOO_LONG"
  | "ERR_ROW_QUOTES"
  | "ERR_ROW_ENCODING"
  | "ERR_ROW_NUL"
  | "ERR_ROW_KIND"
  | "ERR_CELL_UNEXPECTED"
  | "ERR_NUMBER"
  | "ERR_UNIT"
  | "ERR_UNIT_OF_CODE"
  | "ERR_CODE"
  | "ERR_CHANNELS"
  | "ERR_TIME"
  | "ERR_TIME_ABSENT"
  | "ERR_TIME_PARTIAL"
  | "ERR_TIME_PERIOD"
  | "ERR_TIME_BEFORE_1970"
  | "ERR_TIME_AMBIGUOUS"
  | "ERR_TIME_NONEXISTENT"
  | "ERR_TIME_DUPLICATE"
  | "ERR_TIME_BACKWARD"
  | "ERR_TIME_UNCHECKED"
  | "ERR_JSON"
  | "ERR_JSON_DUPLICATE_KEY"
  | "ERR_JSON_DEPTH"
  | "ERR_FHIR_TYPE"
  | "ERR_FHIR_SHAPE"
  | "ERR_FHIR_STATUS"
  | "ERR_FHIR_MODIFIER"
  | "ERR_FHIR_SUBJECT"
  | "ERR_FHIR_VALUE"
  | "ERR_FHIR_NO_VALUE";

/** A reason not to take something in. `reason` names columns and kinds, never what stood in the row. */
export interface Problem {
  readonly code: QuarantineCode;
  readonly reason: string;
}

export interface ObservationRow {
  readonly kind: "observation";
  readonly observation: Observation;
  readonly at: SourcePosition;
  /** The device the source names, as it stands there. */
  readonly device?: string;
}

export interface QuarantinedRow extends Problem {
  readonly kind: "quarantined";
  readonly at: SourcePosition;
  /** The row as it stood in the source, cut at `Limits.quarantineText`. Health data: for the export only. */
  readonly text: string;
}

export type IntakeRow = ObservationRow | QuarantinedRow;

export type IntakeFormat = "csv" | "fhir-json" | "fhir-ndjson";

/** A file that was recognised and can be read, as often as wanted. */
export interface Intake {
  readonly file: string;
  readonly format: IntakeFormat;
  /** Name of the preset, `mapping`, or `fhir-r4`. */
  readonly preset: string;
  readonly clock: Clock;
  /** Known up front for a CSV with a column a channel. */
  readonly channels?: readonly Channel[];
  /** Every reading, missing value and refusal of the file, in its order. */
  rows(): AsyncGenerator<IntakeRow>;
  /** The same, as many at a time as were read at once. */
  batches(): AsyncGenerator<readonly IntakeRow[]>;
}
