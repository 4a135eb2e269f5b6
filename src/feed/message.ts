import { LIMITS, NAME_LENGTH } from "../intake/limits.ts";
import { isDecimal } from "../intake/decimal.ts";
import { isJsonObject, member, numberText, parseJson, type JsonObject, type JsonValue } from "../intake/json.ts";
import { systemOf } from "../intake/presets/medseal-csv.ts";
import type { Problem } from "../intake/types.ts";
import { unitCheck } from "../intake/ucum.ts";
import { LOINC, unitFitsCode } from "../intake/units-of-codes.ts";
import { parseInstant } from "../observation/instant.ts";
import { ANNOUNCED_OFFLINE, type Channel, type Observation, type Value } from "../observation/observation.ts";

/** Readings of one message at the most. */
export const MAX_READINGS = 4096;

/** What a device sends at once. */
export interface FeedMessage {
  readonly device: string;
  /** Rises with each message of the device. */
  readonly counter: number;
  /** The device's own clock when it sent this, RFC 3339. */
  readonly sent: string | undefined;
  /** In the device's order; one that cannot be taken says why. */
  readonly readings: readonly (Observation | Problem)[];
}

export const isReading = (reading: Observation | Problem): reading is Observation => "channel" in reading;

/** Why a line is no message at all. Names kinds, never content. */
export interface NoMessage {
  readonly refused: string;
}

/** Reads one line of a feed; see docs/gateway.md, "The feed". */
export function parseMessage(line: Uint8Array): FeedMessage | NoMessage {
  const json = parseJson(line, LIMITS);
  if (!json.ok) return { refused: json.problem.reason };
  if (!isJsonObject(json.value)) return { refused: "not a JSON object" };
  const known = onlyMembers(json.value, ["device", "counter", "sent", "readings"]);
  if (!known) return { refused: "a member that messages do not have" };
  const device = textOf(json.value, "device");
  const counter = Number(numberText(member(json.value, "counter")) ?? NaN);
  const sent = member(json.value, "sent") === undefined ? undefined : textOf(json.value, "sent");
  const readings = member(json.value, "readings");
  if (device === undefined) return { refused: "no device" };
  if (!Number.isSafeInteger(counter) || counter < 0) return { refused: "no counter" };
  if (member(json.value, "sent") !== undefined && (sent === undefined || !parseInstant(sent)))
    return { refused: "sent is no instant" };
  if (!Array.isArray(readings) || readings.length === 0) return { refused: "no readings" };
  if (readings.length > MAX_READINGS) return { refused: `more than ${MAX_READINGS} readings` };
  return { device, counter, sent, readings: (readings as readonly JsonValue[]).map(readReading) };
}

function readReading(json: JsonValue): Observation | Problem {
  if (!isJsonObject(json)) return { code: "ERR_JSON", reason: "a reading is no object" };
  if (!onlyMembers(json, ["system", "code", "unit", "value", "absent", "effective"]))
    return { code: "ERR_JSON", reason: "a member that readings do not have" };
  const channel = channelOf(json);
  if ("reason" in channel) return channel;
  const time = textOf(json, "effective");
  const instant = time === undefined ? undefined : parseInstant(time);
  if (time === undefined || !instant) return { code: "ERR_TIME", reason: "the effective time is no instant" };
  if (instant.seconds < 0) return { code: "ERR_TIME_BEFORE_1970", reason: "the effective time lies before 1970" };
  const value = valueOf(json);
  if (!value) return { code: "ERR_NUMBER", reason: "the value is no number" };
  return { channel, time, status: "final", value };
}

/** Channels that came before: readings of one share one object, and are not looked at again. */
const channels = new Map<string, Channel>();
const KEPT_CHANNELS = 4096;

function channelOf(json: JsonObject): Channel | Problem {
  const system = member(json, "system") === undefined ? LOINC : (textOf(json, "system") ?? "");
  const [code, unit] = [textOf(json, "code") ?? "", member(json, "unit")];
  if (typeof unit !== "string") return checkedChannel(system, code, unit);
  const key = `${system.length} ${code.length} ${system}${code}${unit}`;
  const known = channels.get(key);
  if (known) return known;
  const channel = checkedChannel(system, code, unit);
  if ("reason" in channel) return channel;
  if (channels.size >= KEPT_CHANNELS) channels.clear();
  channels.set(key, channel);
  return channel;
}

function checkedChannel(named: string, code: string, unit: JsonValue | undefined): Channel | Problem {
  const system = systemOf(named);
  if (code === "" || system === "") return { code: "ERR_CODE", reason: "code or code system is empty or too long" };
  if (typeof unit !== "string" || (unit !== "" && !unitCheck()(unit)))
    return { code: "ERR_UNIT", reason: "the unit is not a UCUM code" };
  const channel: Channel = { code: { system, code }, unit };
  return unitFitsCode(channel) ? channel : { code: "ERR_UNIT_OF_CODE", reason: "the unit does not fit the code" };
}

/** A number as it was written; `null` for one that the device marks absent. */
function valueOf(json: JsonObject): Value | undefined {
  const value = member(json, "value");
  const absent = member(json, "absent");
  if (value === null) {
    if (absent === ANNOUNCED_OFFLINE.source) return ANNOUNCED_OFFLINE;
    const reason = absent === undefined ? "unknown" : absent;
    return typeof reason === "string" && /^[a-z-]{1,32}$/.test(reason)
      ? { kind: "missing", reason, source: "" }
      : undefined;
  }
  if (absent !== undefined) return undefined;
  if (typeof value === "boolean") return { kind: "boolean", value };
  const decimal = numberText(value);
  if (decimal === undefined || !isDecimal(decimal, LIMITS.decimal)) return undefined;
  return { kind: "quantity", decimal, comparator: "" };
}

function textOf(json: JsonObject, name: string): string | undefined {
  const value = member(json, name);
  return typeof value === "string" && value !== "" && value.length <= NAME_LENGTH ? value : undefined;
}

const onlyMembers = (json: JsonObject, names: readonly string[]): boolean =>
  Object.keys(json).every((name) => names.includes(name));
