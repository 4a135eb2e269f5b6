/** A code in a code system, for example LOINC 8867-4 or IEEE 11073-10101 MDC 149530. */
export interface Code {
  /** URI as FHIR names the system: `http://loinc.org`, `urn:iso:std:iso:11073:10101`. */
  readonly system: string;
  readonly code: string;
}

/** What a value measures: a code, or a component of one, in one unit. */
export interface Channel {
  readonly code: Code;
  /** Set when the value is a component of an observation with `code` (FHIR `Observation.component`). */
  readonly component?: Code;
  /** UCUM code, `""` where the value has no unit. */
  readonly unit: string;
}

const keys = new WeakMap<Channel, string>();

/** Equal for equal channels. */
export function channelKey(channel: Channel): string {
  let key = keys.get(channel);
  if (key === undefined) {
    const { code, component, unit } = channel;
    key = JSON.stringify([code.system, code.code, component?.system, component?.code, unit]);
    keys.set(channel, key);
  }
  return key;
}

/** FHIR `Observation.status`, only those that carry a usable value. The index is the stored byte. */
export const STATUSES = ["final", "preliminary", "amended", "corrected", "registered"] as const;
export type Status = (typeof STATUSES)[number];

/** FHIR `Quantity.comparator`; `""` means the value is exact. The index is the stored byte. */
export const COMPARATORS = ["", "<", "<=", ">=", ">"] as const;
export type Comparator = (typeof COMPARATORS)[number];

/** FHIR `SampledData` (R4, 2.24.0.8); every number is the decimal text of the source. */
export interface SampledData {
  readonly origin: string;
  /** Milliseconds between samples. */
  readonly period: string;
  readonly factor: string;
  readonly lowerLimit: string;
  readonly upperLimit: string;
  readonly dimensions: number;
  readonly data: string;
}

export type Value =
  | { readonly kind: "quantity"; readonly decimal: string; readonly comparator: Comparator }
  /** Marked absent by the source: never a zero, never dropped. `reason` is a FHIR data-absent-reason code, `source` the text that stood there. */
  | { readonly kind: "missing"; readonly reason: string; readonly source: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "sampled"; readonly sampled: SampledData };

/** One value of one channel at one effective time: one reading, one leaf. */
export interface Observation {
  readonly channel: Channel;
  /** Effective time: RFC 3339 with offset, text as in the source (or as made by the recorded clock). */
  readonly time: string;
  readonly status: Status;
  readonly value: Value;
}

/** What a device leaves instead of a value before it is switched off: none is to come until it is back. */
export const ANNOUNCED_OFFLINE = { kind: "missing", reason: "not-performed", source: "announced-offline" } as const;

export const isAnnouncedOffline = (value: Value): boolean =>
  value.kind === "missing" && value.source === ANNOUNCED_OFFLINE.source;

/** How effective times came about; recorded with the data, never guessed. */
export type Clock =
  /** The source states instants with an offset. */
  | { readonly kind: "source" }
  /** The source counts seconds from a start the user gave (RFC 3339). */
  | { readonly kind: "start"; readonly start: string }
  /** The source states local times; the user gave the IANA time zone. */
  | { readonly kind: "zone"; readonly zone: string };
