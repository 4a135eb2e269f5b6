import type { Channel, Code } from "../observation/observation.ts";

export const LOINC = "http://loinc.org";
export const MDC = "urn:iso:std:iso:11073:10101";

const RATE = ["/min", "{beats}/min", "{beat}/min", "{breaths}/min", "{breath}/min", "min-1", "1/min"];
const SHARE = ["%"];
const PRESSURE = ["mm[Hg]", "kPa"];
const TEMPERATURE = ["Cel", "[degF]", "K"];
const MASS_CONCENTRATION = ["mg/dL", "g/L", "mg/L", "g/dL"];
const SUBSTANCE_CONCENTRATION = ["mmol/L", "umol/L"];

/**
 * The units in which a code's values make sense, the usual one first: FHIR R4 vital signs profiles, and the property of the LOINC term.
 * It refuses mmol/L under a mass concentration, and gives a value marked absent, which states no unit, its channel.
 */
const UNITS = new Map<string, readonly string[]>(
  Object.entries({
    [LOINC]: {
      "8867-4": RATE,
      "8889-8": RATE,
      "9279-1": RATE,
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

const unitsOf = ({ system, code }: Code): readonly string[] | undefined => UNITS.get(`${system}|${code}`);

/** What is measured: the component where there is one. */
const measured = (channel: Pick<Channel, "code" | "component">): Code => channel.component ?? channel.code;

/** False when the code is known and its values do not come in this unit. Codes not in the table may have any. */
export const unitFitsCode = (channel: Channel): boolean => unitsOf(measured(channel))?.includes(channel.unit) ?? true;

/** The usual unit of a known code. */
export const usualUnit = (channel: Pick<Channel, "code" | "component">): string | undefined =>
  unitsOf(measured(channel))?.[0];
