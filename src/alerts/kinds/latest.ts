import { NO_READING, type Reading, type State } from "../state.ts";

export const latestOf = ({ inputs }: State, input: number): Reading => inputs[input]?.latest ?? NO_READING;
