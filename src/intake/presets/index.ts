import type { Preset } from "../csv-plan.ts";
import { bidmcNumerics } from "./bidmc-numerics.ts";
import { dexcom } from "./dexcom.ts";
import { long, wide } from "./medseal-csv.ts";

/** In the order in which they are tried; no header matches two of them. */
export const PRESETS: readonly Preset[] = [bidmcNumerics, dexcom, wide, long];
