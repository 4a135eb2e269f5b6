import type { Finding, FindingKind } from "./findings.ts";

/**
 * What a finding means, worst first. `tampering`: stored or signed bytes are not what they were. `loss`: something is not there. `leave`:
 * written without leave, or by a device that was not to be relied on. `order`: the record is not closed as it should be.
 */
export const LEVELS = ["tampering", "loss", "leave", "order"] as const;
export type Level = (typeof LEVELS)[number];

const LEVEL: Readonly<Record<FindingKind, Level>> = {
  altered: "tampering",
  swapped: "tampering",
  forked: "tampering",
  mismatch: "tampering",
  invalid: "tampering",
  "signature-invalid": "tampering",
  malformed: "tampering",
  truncated: "tampering",
  "duplicate-tag": "tampering",
  "header-replaced": "tampering",
  "header-repeated": "tampering",
  "statement-replaced": "tampering",
  "statement-repeated": "tampering",
  missing: "loss",
  "header-missing": "loss",
  "epoch-missing": "loss",
  "not-a-leave": "leave",
  "outside-window": "leave",
  "anchored-before-leave": "leave",
  "after-leave-ended": "leave",
  "anchored-late": "leave",
  "device-not-enrolled": "leave",
  "device-suspended": "leave",
  "device-retired": "leave",
  "device-recalled": "leave",
  "epoch-open": "order",
  "late-unmarked": "order",
};

export const levelOf = ({ kind }: Finding): Level => LEVEL[kind];

/** By level; inside a level as they stood, that is by checkpoint. */
export const worstFirst = (findings: readonly Finding[]): Finding[] =>
  [...findings].sort((a, b) => LEVELS.indexOf(levelOf(a)) - LEVELS.indexOf(levelOf(b)));
