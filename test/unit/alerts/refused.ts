import type { Band, Kind } from "../../../src/alerts/rule.ts";
import { NEWS2_SCALE_1, ruleOf } from "./samples.ts";

const BAND: Band = { low: 0n, high: 1n, score: 1 };
const withBands = (...bands: readonly Band[]) => ({ inputs: [{ ...ruleOf("score").inputs[0]!, bands }] });
const responses = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ total: i + 1, single: 0, level: i + 1 }));

/** Rules that no library takes: the kind, and what is wrong about one of it. */
export const REFUSED: readonly (readonly [Kind, Parameters<typeof ruleOf>[1]])[] = [
  ["threshold", { name: "" }],
  ["threshold", { name: "x".repeat(65) }],
  ["threshold", { version: 0 }],
  ["threshold", { inputs: [] }],
  ["threshold", { inputs: ruleOf("difference").inputs }],
  ["threshold", { inputs: ruleOf("count").inputs }],
  ["threshold", { inputs: [{ ...NEWS2_SCALE_1.inputs[0]!, bands: [], digits: 7 }] }],
  ["threshold", { inputs: [{ ...NEWS2_SCALE_1.inputs[0]!, bands: [], maxAge: 0 }] }],
  ["threshold", { inputs: [{ ...NEWS2_SCALE_1.inputs[0]!, bands: [], code: "" }] }],
  ["threshold", { window: 1 }],
  ["threshold", { readings: 1 }],
  ["threshold", { responses: NEWS2_SCALE_1.responses }],
  ["count", { inputs: ruleOf("threshold").inputs }],
  ["count", { readings: 0 }],
  ["count", { readings: 65 }],
  ["count", { trigger: { threshold: 6n } }],
  ["count", { trigger: { threshold: 0n } }],
  ["count", { trigger: { hysteresis: 3n } }],
  ["count", { trigger: { comparator: "atMost" } }],
  ["rate", { window: 0 }],
  ["rate", { per: 0 }],
  ["rate", { minSpan: 0 }],
  ["rate", { minSpan: 60_001 }],
  ["difference", { window: 0 }],
  ["difference", { minSpan: 1 }],
  ["difference", { inputs: ruleOf("threshold").inputs }],
  ["absence", { trigger: { raiseAfter: 1 } }],
  ["absence", { trigger: { clearAfter: 1 } }],
  ["absence", { trigger: { hysteresis: 1n } }],
  ["absence", { trigger: { threshold: -1n } }],
  ["score", { trigger: { threshold: 0n } }],
  ["score", { trigger: { hysteresis: 1n } }],
  ["score", { trigger: { comparator: "atMost" } }],
  ["score", { responses: [] }],
  ["score", { responses: [{ total: 0, single: 0, level: 1 }] }],
  ["score", { responses: [{ total: 1, single: 0, level: 0 }] }],
  ["score", { responses: [1, 2].map((total) => ({ total, single: 0, level: 1 })) }],
  ["score", { responses: NEWS2_SCALE_1.responses.toReversed() }],
  ["score", { inputs: Array.from({ length: 17 }, () => ruleOf("score").inputs[0]!) }],
  ["score", { inputs: [] }],
  ["score", { responses: responses(9) }],
  ["score", withBands({ ...BAND, low: 1n, high: 0n })],
  ["score", withBands({ ...BAND, when: { input: 1, low: 0n, high: 0n } })],
  ["score", withBands({ ...BAND, when: { input: 0, low: 1n, high: 0n } })],
  // The contract's struct has a range here, and no input that it is of.
  ["score", withBands({ ...BAND, when: { input: -1, low: 0n, high: 1n } })],
  ["score", withBands({ ...BAND, when: { input: -1, low: -1n, high: 0n } })],
  ["score", withBands(...Array.from({ length: 33 }, () => BAND))],
];

/** Rules that reach a limit and are taken: the kind, and what is at its limit. */
export const AT_THE_LIMIT: typeof REFUSED = [
  ["threshold", { name: "x".repeat(64) }],
  ["threshold", { inputs: [{ ...ruleOf("threshold").inputs[0]!, digits: 6, maxAge: 1 }] }],
  ["threshold", { trigger: { threshold: -1n, hysteresis: 1n, comparator: "atMost" } }],
  ["count", { readings: 64, trigger: { threshold: 64n, hysteresis: 63n } }],
  ["count", { readings: 1, trigger: { threshold: 1n } }],
  ["rate", { window: 1, minSpan: 1, per: 1 }],
  ["difference", { window: 1, trigger: { threshold: -1n } }],
  ["absence", { trigger: { threshold: 1n } }],
  ["score", { inputs: Array.from({ length: 16 }, () => ruleOf("score").inputs[0]!) }],
  ["score", { responses: responses(8) }],
  ["score", { responses: [{ total: 0, single: 1, level: 1 }] }],
  ["score", withBands({ ...BAND, low: 1n, high: 1n })],
  ["score", withBands({ ...BAND, when: { input: 0, low: 1n, high: 1n } })],
  ["score", withBands(...Array.from({ length: 32 }, () => BAND))],
];
