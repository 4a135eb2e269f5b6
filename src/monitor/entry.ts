import { isDeepStrictEqual } from "node:util";
import { fromHex, fromUtf8, hex, utf8 } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import { MalformedError, MedSealError } from "../errors.ts";
import type { Channel, Observation as Recorded } from "../observation/observation.ts";
import { decodeState, encodeState } from "../alerts/abi.ts";
import type { AlertEvent } from "../alerts/alert.ts";
import type { SignedAnswer } from "./answer.ts";
import { formatPlan, parsePlan, type SignedPlan } from "./plan.ts";
import type { State } from "../alerts/state.ts";
import type { Statement } from "./statement.ts";
import { TOLD, type Told } from "../alerts/told.ts";

/** What the stream of a care plan records: the plan itself, what was evaluated, and the life of its alerts. */
export type Content =
  | { readonly kind: "plan"; readonly signed: SignedPlan }
  | { readonly kind: "stated"; readonly statement: Statement }
  /** Id of the plan that has taken its place: nothing is evaluated from here on, and what is open is still to be answered. */
  | { readonly kind: "ended"; readonly by: string }
  /** What the monitor learnt of channels beside their readings. */
  | { readonly kind: "told"; readonly told: Told }
  /** `level`: of the alert then. `answer`: what a responder signed, where it is their step. */
  | { readonly kind: "event"; readonly event: AlertEvent; readonly level: number; readonly answer?: SignedAnswer };

export type Entry = Content & {
  /** Id of the plan: several may share a stream. */
  readonly plan: string;
  /** Counts the entries of one plan from 0. */
  readonly n: number;
  /** When it was written, in milliseconds. */
  readonly at: number;
};

/** The one channel of a plan's stream. */
export const ALERTS_CHANNEL: Channel = { code: { system: "urn:medseal:alerts", code: "entry" }, unit: "" };

const FORMAT = "medseal-alert-entry";

/**
 * An entry as an observation: its JSON in UTF-8 as sampled data, a sample a byte. Leaves, batches and what checks them
 * then need no kind of value of their own.
 */
export function entryToObservation(entry: Entry): Recorded {
  const data = utf8(JSON.stringify({ format: FORMAT, version: 1, ...plain(entry) })).join(" ");
  const numbers = { origin: "0", period: "1", factor: "", lowerLimit: "0", upperLimit: "255", dimensions: 1 };
  return {
    channel: ALERTS_CHANNEL,
    time: new Date(entry.at).toISOString(),
    status: "final",
    value: { kind: "sampled", sampled: { ...numbers, data } },
  };
}

/** @throws MalformedError. */
export function entryFromObservation({ value, time }: Recorded): Entry {
  try {
    if (value.kind !== "sampled") throw new TypeError();
    const bytes = Uint8Array.from(value.sampled.data.split(" "), Number);
    const { format, version, ...fields } = JSON.parse(fromUtf8(bytes)) as { format: string; version: number } & Plain;
    if (format !== FORMAT || version !== 1) throw new TypeError();
    const entry = rich(fields);
    if (isDeepStrictEqual(entryToObservation(entry).value, value) && new Date(entry.at).toISOString() === time)
      return entry;
  } catch (error) {
    if (error instanceof MedSealError) throw error;
    throw new MalformedError(FORMAT, 0, "not an entry, version 1");
  }
  throw new MalformedError(FORMAT, 0, "its time is not that of its reading, or it is not in its one form");
}

/** JSON has no big integers: plans and states stand in their own formats. */
type PlainStatement = Omit<Statement, "state" | "before"> & { readonly state: string; readonly before?: string };
type Plain = { readonly plan: string; readonly n: number; readonly at: number } & (
  | { readonly kind: "plan"; readonly text: string; readonly write: Hex; readonly signature: string }
  | { readonly kind: "stated"; readonly statement: PlainStatement }
  | Extract<Content, { kind: "told" | "ended" }>
  | Extract<Content, { kind: "event" }>
);

const stateText = (state: State): string => hex(encodeState(state));

function plain(entry: Entry): Plain {
  if (entry.kind !== "plan" && entry.kind !== "stated") return entry;
  const { plan, n, at } = entry;
  if (entry.kind === "plan") {
    const { write, signature } = entry.signed;
    return { plan, n, at, kind: "plan", text: formatPlan(entry.signed.plan), write, signature };
  }
  const { state, before, ...rest } = entry.statement;
  const started = before === undefined ? {} : { before: stateText(before) };
  return { plan, n, at, kind: "stated", statement: { ...rest, state: stateText(state), ...started } };
}

function rich(fields: Plain): Entry {
  const { plan, n, at } = fields;
  if (typeof plan !== "string" || !Number.isSafeInteger(n) || !Number.isSafeInteger(at)) throw new TypeError();
  if (fields.kind === "plan") {
    const { text, write, signature } = fields;
    return { plan, n, at, kind: "plan", signed: { plan: parsePlan(text), write, signature } };
  }
  if (fields.kind === "stated") {
    const { state, before, ...rest } = fields.statement;
    const started = before === undefined ? {} : { before: decodeState(fromHex(before)) };
    return { plan, n, at, kind: "stated", statement: { ...rest, state: decodeState(fromHex(state)), ...started } };
  }
  if (fields.kind === "ended" && typeof fields.by === "string") return fields;
  if (fields.kind === "told") {
    const { report, channels, time } = fields.told;
    if (!TOLD.includes(report) || !Array.isArray(channels) || !Number.isSafeInteger(time)) throw new TypeError();
    return fields;
  }
  if (fields.kind !== "event" || typeof fields.event.kind !== "string") throw new TypeError();
  return fields;
}
