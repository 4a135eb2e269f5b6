import { measured, type Measure } from "../measure.ts";
import { latestOf } from "./latest.ts";

/** The latest value. */
export const threshold: Measure = (_rule, state) => measured(latestOf(state, 0).value);
