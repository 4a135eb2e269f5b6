/** Bounds on what one file may ask of memory. None bounds the length of the file. */
export interface Limits {
  /** Bytes of a line of CSV or NDJSON; a longer one is quarantined without being kept in memory. */
  readonly line: number;
  /** Bytes of one entry of a bundle, or of everything in a JSON document that is not an entry. */
  readonly entry: number;
  /** Nesting of JSON values. */
  readonly depth: number;
  /** Columns of a CSV header. */
  readonly columns: number;
  /** Channels a file may speak of. */
  readonly channels: number;
  /** Instants remembered to tell duplicates in a file without order, all channels together. */
  readonly instants: number;
  /** Characters of a decimal. FHIR asks for 18 digits at least. */
  readonly decimal: number;
  /** Characters of a quarantined row that are kept for the export. */
  readonly quarantineText: number;
}

export const LIMITS: Limits = {
  line: 1 << 20,
  entry: 4 << 20,
  depth: 64,
  columns: 1024,
  channels: 4096,
  instants: 1_000_000,
  decimal: 64,
  quarantineText: 64 << 10,
};

/** Characters of a code system, code, unit or device reference. */
export const NAME_LENGTH = 256;
