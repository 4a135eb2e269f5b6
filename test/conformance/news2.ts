import { join } from "node:path";
import type { Rule } from "../../src/alerts/rule.ts";
import type { Observation } from "../../src/alerts/state.ts";
import { BEGIN, NEWS2_SCALE_1, NEWS2_SCALE_2, say, value } from "../unit/alerts/samples.ts";
import { readJson, vectorPath, VECTORS } from "./vectors.ts";

/** Lowest and highest value, both included, and their score; null is without a bound. */
type Row = readonly [low: number | null, high: number | null, score: number];

/** The published thresholds: Royal College of Physicians, NEWS2 (2017), charts 1, 2 and 4. */
export interface News2 {
  readonly parameters: {
    readonly respiration_rate_per_min: readonly Row[];
    readonly spo2_scale1_percent: readonly Row[];
    readonly spo2_scale2_percent: {
      readonly any: readonly Row[];
      readonly on_air: readonly Row[];
      readonly on_oxygen: readonly Row[];
    };
    readonly air_or_oxygen: { readonly air: number; readonly oxygen: number };
    readonly systolic_bp_mmHg: readonly Row[];
    readonly pulse_per_min: readonly Row[];
    readonly consciousness: Readonly<Record<string, number>>;
    readonly temperature_tenths_C: readonly Row[];
  };
}

const FILE = ["news2", "news2-thresholds.json"] as const;

/** @param context - Of a test, which is skipped without the file; @throws without a context then. */
export const readNews2 = (context?: Mocha.Context): News2 =>
  readJson<News2>(context ? vectorPath(context, ...FILE) : join(VECTORS, ...FILE));

/** Values of the seven parameters in the order of the rule's inputs, each in units of its last digit. */
export type Parameters = readonly [
  breaths: number,
  saturation: number,
  oxygen: number,
  pressure: number,
  pulse: number,
  consciousness: number,
  temperature: number,
];

/** In the order of their numbers in the rule. */
const CONSCIOUSNESS = ["Alert", "Confusion_new", "Voice", "Pain", "Unresponsive"];

/** The score of each parameter, looked up in the published table alone. */
export function scoresByTable(news2: News2, scale: 1 | 2, parameters: Parameters): readonly number[] {
  const { parameters: table } = news2;
  const [breaths, saturation, oxygen, pressure, pulse, consciousness, temperature] = parameters;
  const { any, on_air, on_oxygen } = table.spo2_scale2_percent;
  const spo2 = scale === 1 ? table.spo2_scale1_percent : [...any, ...(oxygen > 0 ? on_oxygen : on_air)];
  return [
    lookUp(table.respiration_rate_per_min, breaths),
    lookUp(spo2, saturation),
    oxygen > 0 ? table.air_or_oxygen.oxygen : table.air_or_oxygen.air,
    lookUp(table.systolic_bp_mmHg, pressure),
    lookUp(table.pulse_per_min, pulse),
    table.consciousness[CONSCIOUSNESS[consciousness] as string] as number,
    lookUp(table.temperature_tenths_C, temperature),
  ];
}

/** The response of the published triggers: 1 low, 2 low-medium (3 in one parameter), 3 medium, 4 high; 0 for a score of 0. */
export function responseByTable(scores: readonly number[]): number {
  const total = scores.reduce((sum, score) => sum + score, 0);
  if (total >= 7) return 4;
  if (total >= 5) return 3;
  if (scores.includes(3)) return 2;
  return total >= 1 ? 1 : 0;
}

function lookUp(rows: readonly Row[], wanted: number): number {
  const row = rows.find(([low, high]) => (low === null || wanted >= low) && (high === null || wanted <= high));
  if (row === undefined) throw new Error(`no row for ${wanted}`);
  return row[2];
}

/** Both ends of every band of each parameter. */
export function edges({ parameters: table }: News2, scale: 1 | 2): readonly (readonly number[])[] {
  const { any, on_air, on_oxygen } = table.spo2_scale2_percent;
  const ends = (rows: readonly Row[]): readonly number[] => [
    ...new Set(rows.flatMap(([low, high]) => [low, high]).filter((end) => end !== null)),
  ];
  return [
    ends(table.respiration_rate_per_min),
    ends(scale === 1 ? table.spo2_scale1_percent : [...any, ...on_air, ...on_oxygen]),
    [0, 1],
    ends(table.systolic_bp_mmHg),
    ends(table.pulse_per_min),
    CONSCIOUSNESS.map((_, i) => i),
    ends(table.temperature_tenths_C),
  ];
}

const HEALTHY: Parameters = [16, 90, 0, 120, 70, 0, 370];

const RULES = [
  [1, NEWS2_SCALE_1],
  [2, NEWS2_SCALE_2],
] as const;

export interface News2Case {
  readonly scale: 1 | 2;
  readonly rule: Rule;
  readonly parameters: Parameters;
  /** The parameter that is not there, if any. */
  readonly missing?: number;
  readonly observations: readonly Observation[];
}

/**
 * Every edge of every band and one unit on either side, on air and on oxygen, the other parameters healthy; and the same
 * healthy values with each parameter in turn never reported, and marked missing after it was.
 */
export function* news2Cases(news2: News2): Generator<News2Case> {
  for (const [scale, rule] of RULES) {
    for (const [i, ends] of edges(news2, scale).entries()) {
      const beside = new Set(ends.flatMap((end) => (i === 2 || i === 5 ? [end] : [end - 1, end, end + 1])));
      for (const end of beside) {
        for (const oxygen of i === 2 ? [end] : [0, 20]) {
          const parameters = HEALTHY.with(2, oxygen).with(i, end) as unknown as Parameters;
          yield { scale, rule, parameters, observations: observe(rule, parameters) };
        }
      }
      const rest = observe(rule, HEALTHY).filter(({ input }) => input !== i);
      const common = { scale, rule, parameters: HEALTHY, missing: i };
      yield { ...common, observations: rest };
      yield { ...common, observations: [...observe(rule, HEALTHY), say(BEGIN, "missing", i)] };
    }
  }
}

export const observe = (rule: Rule, parameters: Parameters): readonly Observation[] =>
  parameters.map((one, i) => value(BEGIN, one, i, rule.inputs[i]?.digits));
