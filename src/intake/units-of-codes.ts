import type { Channel, Code } from "../observation/observation.ts";

export const LOINC = "http://loinc.org";
export const MDC = "urn:iso:std:iso:11073:10101";

/** Lowest and highest value, both included. */
export type Band = readonly [low: number, high: number];
/** By unit, the usual one first. */
type Bands = Readonly<Record<string, Band>>;

const perMinute = (...band: Band): Bands =>
  Object.fromEntries(
    ["/min", "{beats}/min", "{beat}/min", "{breaths}/min", "{breath}/min", "min-1", "1/min"].map((unit) => [
      unit,
      band,
    ]),
  );
const RATE = perMinute(0, 400);
const BREATHS = perMinute(0, 200);
const SHARE: Bands = { "%": [0, 100] };
const PRESSURE: Bands = { "mm[Hg]": [0, 400], kPa: [0, 54] };
const TEMPERATURE: Bands = { Cel: [10, 47], "[degF]": [50, 117], K: [283, 321] };
const MASS_CONCENTRATION: Bands = { "mg/dL": [0, 2700], "g/L": [0, 27], "mg/L": [0, 27_000], "g/dL": [0, 2.7] };
const SUBSTANCE_CONCENTRATION: Bands = { "mmol/L": [0, 150], "umol/L": [0, 150_000] };

/**
 * The units in which a code's values make sense, the usual one first: FHIR R4 vital signs profiles, and the property of the LOINC term.
 * It refuses mmol/L under a mass concentration, and gives a value marked absent, which states no unit, its channel. With each unit the band
 * outside which no living body lies, wider than any limit of care: beyond it a sensor, unit or code is wrong.
 */
const UNITS = new Map<string, Bands>(
  Object.entries({
    [LOINC]: {
      "8867-4": RATE,
      "8889-8": RATE,
      "9279-1": BREATHS,
      "59408-5": SHARE,
      "2708-6": SHARE,
      "8310-5": TEMPERATURE,
      "8480-6": PRESSURE,
      "8462-4": PRESSURE,
      "8478-0": PRESSURE,
      "2339-0": MASS_CONCENTRATION,
      "2345-7": MASS_CONCENTRATION,
      "99504-3": MASS_CONCENTRATION,
      "15074-8": SUBSTANCE_CONCENTRATION,
      "14743-9": SUBSTANCE_CONCENTRATION,
    },
    [MDC]: { "149530": RATE, "147842": RATE, "150456": SHARE, "150320": SHARE, "67996": SHARE },
  }).flatMap(([system, codes]) => Object.entries(codes).map(([code, units]) => [`${system}|${code}`, units] as const)),
);

const unitsOf = ({ system, code }: Code): Bands | undefined => UNITS.get(`${system}|${code}`);

/** What is measured: the component where there is one. */
const measured = (channel: Pick<Channel, "code" | "component">): Code => channel.component ?? channel.code;

/** False when the code is known and its values do not come in this unit. Codes not in the table may have any. */
export function unitFitsCode(channel: Channel): boolean {
  const units = unitsOf(measured(channel));
  return units === undefined || Object.hasOwn(units, channel.unit);
}

/** Undefined for a code that is not in the table, or a unit that does not fit it. */
export const bandOf = (channel: Channel): Band | undefined => {
  const units = unitsOf(measured(channel));
  return units && Object.hasOwn(units, channel.unit) ? units[channel.unit] : undefined;
};

/** The usual unit of a known code. */
export const usualUnit = (channel: Pick<Channel, "code" | "component">): string | undefined =>
  Object.keys(unitsOf(measured(channel)) ?? {})[0];
