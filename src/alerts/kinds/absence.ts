import { lastHeard } from "../state.ts";
import { measured, unmeasured, type Measure } from "./measured.ts";

/** Milliseconds without a value, while one is expected. What the source marks missing is no value. */
export const absence: Measure = (_rule, { time, inputs: [input] }, status) => {
  if (input === undefined || input.expectation !== "available") return unmeasured(status);
  return measured(BigInt(Math.max(0, time - lastHeard(input))), status);
};
