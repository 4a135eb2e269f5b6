import type { Mutant } from "./mutants.ts";

type Which = Readonly<Pick<Mutant, "file" | "inside" | "from" | "to" | "content">>;

/** A change that no test can tell, and why. */
export interface Excused extends Omit<Which, "content"> {
  /** What only this change writes, where others of the function change the same to the same. */
  readonly makes?: string;
  readonly reason: string;
}

const EXCUSED: readonly Excused[] = [
  {
    file: "contracts/ConsentLedger.sol",
    inside: "_tryGrant",
    from: "return DONE;",
    to: "{}",
    reason: "a function that ends without a word returns 0, which is `DONE`",
  },
  {
    file: "contracts/ConsentLedger.sol",
    inside: "isActive",
    from: "entry.grantedAt != 0 && entry.revokedAt == 0",
    to: "(entry.revokedAt == 0)",
    reason: "an entry that was never granted has the issue time 0 too, which is not after any `endedBefore`",
  },
  {
    file: "contracts/ConsentRegistry.sol",
    inside: "_refusalOfTime",
    from: "return DONE;",
    to: "{}",
    reason: "a function that ends without a word returns 0, which is `DONE`",
  },
  {
    file: "contracts/libraries/ConsentChain.sol",
    inside: "covers",
    from: "consent.purpose, purpose",
    to: "purpose, consent.purpose",
    reason: "two purposes are equal in either order",
  },
  {
    file: "contracts/libraries/ConsentChain.sol",
    inside: "isWithin",
    from: "inner.purpose, outer.purpose",
    to: "outer.purpose, inner.purpose",
    reason: "two purposes are equal in either order",
  },
  {
    file: "contracts/libraries/ConsentChain.sol",
    inside: "_width",
    from: "1",
    to: "2",
    reason: "the same stream twice is found where it is found once, and a list that ascends never asks for it twice",
  },
  ...["false", "{}"].map((to) => ({
    file: "contracts/libraries/ConsentSignature.sol",
    inside: "_isByContract",
    from: to === "{}" ? "return false;" : "signer.code.length == 0",
    to,
    reason:
      "without code answers nobody, or a precompile: of those that answer 32 bytes to a call of this shape, only SHA-256 does not begin with zeros, and an input whose hash is the answer that counts is not to be found",
  })),
  {
    file: "contracts/libraries/ConsentSignature.sol",
    inside: "_isByContract",
    from: "0",
    to: "1",
    reason: "one byte of code answers nothing, and without code nobody answers what counts, as above",
  },
  {
    file: "contracts/libraries/DeviceKey.sol",
    inside: "hasSigned",
    from: "32",
    to: "33",
    makes: "signature[:33]",
    reason: "of a slice of 33 bytes `bytes32` takes the first 32",
  },
  {
    file: "contracts/libraries/EmergencyTerms.sol",
    inside: "endOf",
    from: "term < MAX_TERM",
    to: "(term <= MAX_TERM)",
    reason: "of two equal terms either is taken",
  },
  {
    file: "contracts/libraries/Merkle.sol",
    inside: "rootOf",
    from: "width % 2 == 1",
    to: "true",
    reason: "on an even level it writes beyond the next one, which nobody reads",
  },
  {
    file: "contracts/libraries/Merkle.sol",
    inside: "isIncluded",
    from: "position % 2 == 0 && position != 0",
    to: "(position % 2 == 0)",
    reason: "a position that is even there equals `last`, which is not 0, and halving it ends at an odd number",
  },
  {
    file: "contracts/libraries/Merkle.sol",
    inside: "isIncluded",
    from: "0",
    to: "1",
    makes: "position != 1)",
    reason: "a position that is even is not 1, and that it is not 0 need not be asked, as above",
  },
  {
    file: "contracts/libraries/Rounding.sol",
    inside: "toDigits",
    from: "scale <= digits",
    to: "(scale < digits)",
    reason: "a number divided by one is that number, rounded or not",
  },
  ...[
    { from: "dividend < 0", to: "(dividend <= 0)" },
    { from: "0", to: "1" },
  ].map((change) => ({
    file: "contracts/libraries/Rounding.sol",
    inside: "divide",
    ...change,
    reason: "zero with its sign changed is zero",
  })),
  ...["true", "(fresh <= time)"].map((to) => ({
    file: "contracts/libraries/RuleEvaluation.sol",
    inside: "_advance",
    from: "fresh < time",
    to,
    reason:
      "judging twice at one moment changes no more than once: what it raised is not to be cleared, and the reverse",
  })),
  {
    file: "contracts/libraries/RuleEvaluation.sol",
    inside: "_advance",
    from: "until < fresh",
    to: "(until <= fresh)",
    reason: "of two equal times either is taken",
  },
  {
    file: "contracts/libraries/RuleLimits.sol",
    inside: "_hasTrigger",
    from: "trigger.threshold > 0",
    to: "(trigger.threshold >= 0)",
    reason: "no hysteresis is below a threshold of 0, which the next condition asks for",
  },
  {
    file: "contracts/libraries/RuleMeasure.sol",
    inside: "measure",
    from: "status > result.status",
    to: "(status >= result.status)",
    reason: "of two equal statuses either is taken",
  },
  {
    file: "contracts/libraries/RuleMeasure.sol",
    inside: "_absence",
    from: "state.time > heard",
    to: "(state.time >= heard)",
    reason: "the difference of two equal times is 0 too",
  },
  {
    file: "contracts/libraries/RuleMeasure.sol",
    inside: "_difference",
    from: "a.time > b.time",
    to: "(a.time >= b.time)",
    reason: "the difference of two equal times is 0 in either order",
  },
  ...[
    { from: "int256(a.value) - b.value", to: "(b.value - int256(a.value))" },
    { from: "difference < 0", to: "(difference <= 0)" },
    { from: "0", to: "1" },
  ].map((change) => ({
    file: "contracts/libraries/RuleMeasure.sol",
    inside: "_difference",
    ...change,
    reason: "what counts is the size of the difference, and zero with its sign changed is zero",
  })),
  {
    file: "contracts/libraries/RuleMeasure.sol",
    inside: "_score",
    from: "score > highest",
    to: "(score >= highest)",
    reason: "of two equal scores either is taken",
  },
];

export const reasonFor = (mutant: Which): string | undefined => EXCUSED.find((one) => isSame(one, mutant))?.reason;

/** Those that excuse no mutant, since the contract has changed or no longer needs them. */
export const excusesWithout = (mutants: readonly Which[]): Excused[] =>
  EXCUSED.filter((one) => !mutants.some((mutant) => isSame(one, mutant)));

const isSame = ({ makes = "", ...one }: Excused, { content, ...mutant }: Which): boolean =>
  one.file === mutant.file &&
  one.inside === mutant.inside &&
  plain(one.from) === plain(mutant.from) &&
  plain(one.to) === plain(mutant.to) &&
  content.includes(makes);

/** The source in one line. */
export const plain = (source: string): string => source.replace(/\s+/g, " ");
