import { latestOf, measured, type Measure } from "./measured.ts";

/** The latest value. */
export const threshold: Measure = (_rule, state) => measured(latestOf(state, 0).value);
