import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRule } from "../../../src/alerts/rule-file.ts";
import { INT64_MAX, INT64_MIN, type Input, type Kind, type Rule, type Trigger } from "../../../src/alerts/rule.ts";
import type { Observation, Report } from "../../../src/alerts/state.ts";

/** The rules that come with the package. */
export const shipped = (name: string): Rule =>
  parseRule(readFileSync(join(import.meta.dirname, "../../../src/alerts/rules", `${name}.json`), "utf8"));

export const NEWS2_SCALE_1 = shipped("news2-scale-1");
export const NEWS2_SCALE_2 = shipped("news2-scale-2");

export const SECOND = 1000;
/** 2026-03-01T00:00:00Z */
export const BEGIN = 1_772_323_200_000;

export const heartRate: Input = {
  system: "http://loinc.org",
  code: "8867-4",
  unit: "/min",
  digits: 0,
  maxAge: 10 * SECOND,
  bands: [],
};

const TRIGGER: Trigger = { comparator: "atLeast", threshold: 120n, hysteresis: 0n, raiseAfter: 0, clearAfter: 0 };

/** A rule of a kind with what the kind needs; what differs is named. */
export function ruleOf(
  kind: Kind,
  differs: Partial<Omit<Rule, "trigger">> & { readonly trigger?: Partial<Trigger> } = {},
): Rule {
  const { trigger, ...rest } = differs;
  const scored = { ...heartRate, bands: [{ low: 120n, high: INT64_MAX, score: 1 }] };
  const all = { low: INT64_MIN, high: 119n, score: 0 };
  const parts: Record<Kind, Partial<Rule>> = {
    threshold: {},
    count: { inputs: [scored], readings: 5, trigger: { ...TRIGGER, threshold: 3n } },
    rate: { window: 60 * SECOND, minSpan: 30 * SECOND, per: 60 * SECOND, trigger: { ...TRIGGER, threshold: 20n } },
    difference: { inputs: [heartRate, heartRate], window: SECOND, trigger: { ...TRIGGER, threshold: 15n } },
    absence: { trigger: { ...TRIGGER, threshold: BigInt(30 * SECOND) } },
    score: {
      inputs: [{ ...scored, bands: [...scored.bands, all] }],
      responses: [{ total: 1, single: 0, level: 1 }],
      trigger: { ...TRIGGER, threshold: 1n },
    },
  };
  const empty = { inputs: [heartRate], window: 0, minSpan: 0, per: 0, readings: 0, responses: [] };
  const base = { name: `test-${kind}`, version: 1, kind, trigger: TRIGGER, ...empty, ...parts[kind] };
  return { ...base, ...rest, trigger: { ...base.trigger, ...trigger } };
}

export const value = (time: number, mantissa: number | bigint, input = 0, scale = 0): Observation => ({
  time,
  report: "value",
  input,
  mantissa: BigInt(mantissa),
  scale,
});

export const say = (time: number, report: Report, input = 0): Observation => ({
  time,
  report,
  input,
  mantissa: 0n,
  scale: 0,
});
