import type { Observation } from "../observation/observation.ts";

/** The first line says it, on both sides; docs/gateway.md, "A monitor beside it". */
export const MONITOR_PROTOCOL = "medseal-monitor/1";

/** Bytes of a line at the most: a message of 1 MiB, with every reading written out. */
export const LONGEST_LINE = 4 << 20;

/** Readings of one patient, who is named by the address that gave leave to record them. */
export interface OfPatient {
  readonly grantor: string;
  readonly readings: readonly Observation[];
}

/** The line of one message. @param place - Its place among all that the gateway's journal ever took. */
export const messageLine = (place: number, patients: readonly OfPatient[]): string =>
  `${JSON.stringify({ place, patients })}\n`;
