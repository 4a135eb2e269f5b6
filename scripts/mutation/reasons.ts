import type { Mutant } from "./mutants.ts";

type Which = Readonly<Pick<Mutant, "file" | "inside" | "from" | "to">>;

/** A change that no test can tell, and why. */
export interface Excused extends Which {
  readonly reason: string;
}

const EXCUSED: readonly Excused[] = [
  {
    file: "contracts/ConsentLedger.sol",
    inside: "isActive",
    from: "entry.grantedAt != 0 && entry.revokedAt == 0",
    to: "(entry.revokedAt == 0)",
    reason: "an entry that was never granted has the issue time 0 too, which is not after any `endedBefore`",
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
    file: "contracts/libraries/Rounding.sol",
    inside: "toDigits",
    from: "scale <= digits",
    to: "(scale < digits)",
    reason: "a number divided by one is that number, rounded or not",
  },
  {
    file: "contracts/libraries/Rounding.sol",
    inside: "divide",
    from: "dividend < 0",
    to: "(dividend <= 0)",
    reason: "zero with its sign changed is zero",
  },
  {
    file: "contracts/libraries/RuleEvaluation.sol",
    inside: "_advance",
    from: "fresh < time",
    to: "true",
    reason:
      "judging twice at one moment changes no more than once: what it raised is not to be cleared, and the reverse",
  },
];

export const reasonFor = (mutant: Which): string | undefined => EXCUSED.find((one) => isSame(one, mutant))?.reason;

/** Those that excuse no mutant, since the contract has changed or no longer needs them. */
export const excusesWithout = (mutants: readonly Which[]): Excused[] =>
  EXCUSED.filter((one) => !mutants.some((mutant) => isSame(one, mutant)));

const isSame = (a: Which, b: Which): boolean =>
  a.file === b.file && a.inside === b.inside && plain(a.from) === plain(b.from) && plain(a.to) === plain(b.to);

/** The source in one line. */
export const plain = (source: string): string => source.replace(/\s+/g, " ");
