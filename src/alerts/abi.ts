import { AbiCoder, keccak256 } from "ethers";
import { concat, equal, fromHex, hex0x, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../errors.ts";
import { NotOfRuleError } from "./errors.ts";
import { checkRule } from "./limits.ts";
import { COMPARATORS, KINDS, type Band, type Input, type Response, type Rule, type Trigger } from "./rule.ts";
import { REPORTS, STATUSES, type InputState, type Observation, type Reading, type State } from "./state.ts";

/** The structs of IAlertRules and IRuleEvaluator; docs/formats.md, section 25. */
const BAND = "tuple(int64 low,int64 high,uint8 score,uint8 whenInput,int64 whenLow,int64 whenHigh)";
const INPUT = `tuple(string system,string code,string unit,uint8 digits,uint48 maxAge,${BAND}[] bands)`;
const TRIGGER = "tuple(uint8 comparator,int64 threshold,uint64 hysteresis,uint48 raiseAfter,uint48 clearAfter)";
const RESPONSE = "tuple(uint16 total,uint8 single,uint8 level)";
const RULE =
  `tuple(string name,uint32 version,uint8 kind,${INPUT}[] inputs,${TRIGGER} trigger,` +
  `uint48 window,uint48 minSpan,uint48 per,uint16 readings,${RESPONSE}[] responses)`;
const READING = "tuple(uint48 time,int128 value)";
const INPUT_STATE = `tuple(uint8 expectation,uint48 expectedSince,bool missing,${READING} latest)`;
const STATE =
  "tuple(uint48 time,bool active,uint48 since,uint48 changedAt,uint32 alerts," +
  `${INPUT_STATE}[] inputs,${READING}[] history)`;

const RULE_NAME = utf8("medseal/rule/1\n");
const STATE_NAME = utf8("medseal/rule-state/1\n");
const coder = AbiCoder.defaultAbiCoder();

/** The one encoding of a rule. @throws RuleInvalidError */
export function encodeRule(rule: Rule): Uint8Array {
  checkRule(rule);
  return encode(RULE_NAME, RULE, ruleFields(rule));
}

/** @throws MalformedError, RuleInvalidError */
export const decodeRule = (bytes: Uint8Array): Rule => decode(bytes, RULE_NAME, RULE, "rule", ruleFrom, encodeRule);

/** The id under which a rule stands in AlertRules. */
export const ruleId = (rule: Rule): `0x${string}` => keccak256(encodeRule(rule)) as `0x${string}`;

export const encodeState = (state: State): Uint8Array => encode(STATE_NAME, STATE, stateFields(state));

/** @throws MalformedError */
export const decodeState = (bytes: Uint8Array): State =>
  decode(bytes, STATE_NAME, STATE, "rule-state", stateFrom, encodeState);

/** The structs as the contracts take them: enumerated values by their numbers, every field there. */
interface BandStruct extends Omit<Band, "when"> {
  whenInput: number;
  whenLow: bigint;
  whenHigh: bigint;
}
export interface RuleStruct extends Omit<Rule, "kind" | "inputs" | "trigger" | "responses"> {
  kind: number;
  inputs: (Omit<Input, "bands"> & { bands: BandStruct[] })[];
  trigger: Omit<Trigger, "comparator"> & { comparator: number };
  responses: Response[];
}
export interface StateStruct extends Omit<State, "inputs" | "history"> {
  inputs: (Omit<InputState, "expectation"> & { expectation: number })[];
  history: Reading[];
}
export type ObservationStruct = Omit<Observation, "report"> & { report: number };

/** What a decoder gives for a struct: every number a bigint. */
export type Decoded<T> = T extends number | bigint
  ? bigint
  : T extends readonly (infer Item)[]
    ? readonly Decoded<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Decoded<T[Key]> }
      : T;

export const ruleFields = (rule: Rule): RuleStruct => ({
  ...rule,
  kind: KINDS.indexOf(rule.kind),
  inputs: rule.inputs.map((input) => ({ ...input, bands: input.bands.map(bandFields) })),
  trigger: { ...rule.trigger, comparator: COMPARATORS.indexOf(rule.trigger.comparator) },
  responses: [...rule.responses],
});

const bandFields = ({ low, high, score, when }: Band): BandStruct => ({
  low,
  high,
  score,
  whenInput: when === undefined ? 0 : when.input + 1,
  whenLow: when?.low ?? 0n,
  whenHigh: when?.high ?? 0n,
});

export const stateFields = (state: State): StateStruct => ({
  ...state,
  inputs: state.inputs.map((input) => ({ ...input, expectation: STATUSES.indexOf(input.expectation) })),
  history: [...state.history],
});

export const observationFields = (observation: Observation): ObservationStruct => ({
  ...observation,
  report: REPORTS.indexOf(observation.report),
});

export function ruleFrom(fields: Decoded<RuleStruct>): Rule {
  const { trigger } = fields;
  return {
    name: fields.name,
    version: Number(fields.version),
    kind: named(KINDS, fields.kind),
    inputs: fields.inputs.map(({ system, code, unit, digits, maxAge, bands }) => ({
      system,
      code,
      unit,
      digits: Number(digits),
      maxAge: Number(maxAge),
      bands: bands.map(bandFrom),
    })),
    trigger: {
      comparator: named(COMPARATORS, trigger.comparator),
      threshold: trigger.threshold,
      hysteresis: trigger.hysteresis,
      raiseAfter: Number(trigger.raiseAfter),
      clearAfter: Number(trigger.clearAfter),
    },
    window: Number(fields.window),
    minSpan: Number(fields.minSpan),
    per: Number(fields.per),
    readings: Number(fields.readings),
    responses: fields.responses.map(({ total, single, level }) => ({
      total: Number(total),
      single: Number(single),
      level: Number(level),
    })),
  };
}

function bandFrom(fields: Decoded<BandStruct>): Band {
  const { low, high, score, whenInput, whenLow, whenHigh } = fields;
  const band = { low, high, score: Number(score) };
  return whenInput === 0n ? band : { ...band, when: { input: Number(whenInput) - 1, low: whenLow, high: whenHigh } };
}

export const stateFrom = (fields: Decoded<StateStruct>): State => ({
  time: Number(fields.time),
  active: fields.active,
  since: Number(fields.since),
  changedAt: Number(fields.changedAt),
  alerts: Number(fields.alerts),
  inputs: fields.inputs.map(({ expectation, expectedSince, missing, latest }): InputState => ({
    expectation: named(STATUSES, expectation),
    expectedSince: Number(expectedSince),
    missing,
    latest: { time: Number(latest.time), value: latest.value },
  })),
  history: fields.history.map(({ time, value }) => ({ time: Number(time), value })),
});

export function named<T>(names: readonly T[], number: bigint): T {
  const name = names[Number(number)];
  if (name === undefined) throw new NotOfRuleError("an enumerated value is unknown");
  return name;
}

const encode = (name: Uint8Array, type: string, fields: object): Uint8Array =>
  concat(name, fromHex(coder.encode([type], [fields])));

/** Every content has one encoding, so whatever decodes but does not encode to the same bytes is refused. */
function decode<T>(
  bytes: Uint8Array,
  name: Uint8Array,
  type: string,
  format: string,
  from: (fields: never) => T,
  again: (content: T) => Uint8Array,
): T {
  if (!equal(bytes.slice(0, name.length), name)) throw new MalformedError(format, 0, "name expected");
  let content: T;
  try {
    content = from(coder.decode([type], hex0x(bytes.slice(name.length)))[0] as never);
  } catch {
    throw new MalformedError(format, name.length, "not the ABI encoding of the struct");
  }
  if (!equal(again(content), bytes)) throw new MalformedError(format, name.length, "not in its one encoding");
  return content;
}
