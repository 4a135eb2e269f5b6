import type { Channel } from "../../observation/observation.ts";
import { planColumns, type Preset } from "../csv-plan.ts";
import { MISSING_CELLS } from "../mapping.ts";
import { LOINC } from "../units-of-codes.ts";

const loinc = (code: string, unit: string): Channel => ({ code: { system: LOINC, code }, unit });

/** HR by ECG, PULSE and SpO2 by pulse oximetry, RESP by impedance; README of the BIDMC data set. */
const CHANNELS = new Map<string, Channel>([
  ["HR", loinc("8867-4", "/min")],
  ["PULSE", loinc("8889-8", "/min")],
  ["RESP", loinc("9279-1", "/min")],
  ["SpO2", loinc("59408-5", "%")],
]);
const missing = new Set<string>(MISSING_CELLS);

/** PhysioNet, BIDMC PPG and Respiration Dataset: `*_Numerics.csv`, seconds from the start at 1 Hz. */
export const bidmcNumerics: Preset = {
  name: "bidmc-numerics",
  matches: (header) => header.includes("Time [s]") && ["HR", "PULSE", "SpO2"].some((name) => header.includes(name)),
  plan: (header, refuse) =>
    planColumns(
      header,
      { preset: "bidmc-numerics", delimiter: ",", time: { column: "Time [s]", kind: "seconds" } },
      (name) => {
        const channel = CHANNELS.get(name);
        return channel && { is: "channel", channel, missing };
      },
      refuse,
    ),
};
