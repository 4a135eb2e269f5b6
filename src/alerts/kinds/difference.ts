import { latestOf, measured, unmeasured, type Measure } from "./measured.ts";

/** How far two values are apart, either way, when they were taken close enough to each other. */
export const difference: Measure = ({ window }, state) => {
  const [a, b] = [latestOf(state, 0), latestOf(state, 1)];
  if (Math.abs(a.time - b.time) > window) return unmeasured("waiting");
  return measured(a.value > b.value ? a.value - b.value : b.value - a.value);
};
