import { indexOf, planColumns, type ColumnRole, type Preset } from "../csv-plan.ts";
import { LOINC } from "../units-of-codes.ts";

/** LOINC 99504-3: glucose, mass concentration in interstitial fluid, which is where the sensor sits; 2339-0 would claim blood. */
const glucose: ColumnRole = {
  is: "channel",
  channel: { code: { system: LOINC, code: "99504-3" }, unit: "mg/dL" },
  missing: new Set([""]),
};

const ROLES = new Map<string, ColumnRole>([
  ["glucose", glucose],
  ["index", { is: "ignored" }],
  ["event_type", { is: "ignored" }],
  ["event_subtype", { is: "empty" }],
  ["patient_info", { is: "empty" }],
  ["device_info", { is: "empty" }],
  ["source_device_ID", { is: "device" }],
  ["insulin_value", { is: "empty" }],
  ["carb_value", { is: "empty" }],
  ["duration", { is: "empty" }],
  ["glucose_rate_of_change", { is: "empty" }],
  ["transmitter_time", { is: "ignored" }],
]);

/** Dexcom Clarity as in the BIG IDEAs data set: local times, `event_type` EGV for readings; `Low` and `High` are quarantined, not guessed. */
export const dexcom: Preset = {
  name: "dexcom",
  matches: (header) => ["timestamp", "event_type", "glucose"].every((name) => header.includes(name)),
  plan: (header, refuse) => ({
    ...planColumns(
      header,
      { preset: "dexcom", delimiter: ",", time: { column: "timestamp", kind: "local" } },
      (name) => ROLES.get(name),
      refuse,
    ),
    only: { index: indexOf(header, "event_type", "dexcom", refuse), text: "EGV" },
  }),
};
