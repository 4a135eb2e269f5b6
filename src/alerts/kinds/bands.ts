import type { Band } from "../rule.ts";
import type { State } from "../state.ts";

/** The score of a value: that of the first band that holds it, whose condition on another input holds too. */
export function scoreOf(bands: readonly Band[], value: bigint, { inputs }: State): number | undefined {
  const holds = ({ low, high, when }: Band): boolean => {
    if (value < low || value > high) return false;
    const other = when && inputs[when.input]?.latest.value;
    return when === undefined || (other !== undefined && other >= when.low && other <= when.high);
  };
  return bands.find(holds)?.score;
}
