import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openedEmergencyAccess, openedVaultRecovery } from "./opened.ts";

/** One `assert` of a proof contract. */
export interface Claim {
  readonly where: string;
  readonly claim: string;
}

export interface Unproved extends Claim {
  /** What the checker says: a counterexample, or that it cannot tell. */
  readonly reason: string;
}

export interface Proofs {
  readonly proved: readonly Claim[];
  /** Claims of the proof contracts that were not proven: a bug, or work for whoever changed the contracts. */
  readonly refuted: readonly Unproved[];
  readonly unproved: readonly Unproved[];
}

interface Problem {
  readonly severity: string;
  readonly errorCode?: string;
  readonly message: string;
  readonly sourceLocation?: { readonly file: string; readonly start: number; readonly end: number };
}

/** Contracts whose `assert`s are claims, and where they are. */
const PROOFS = {
  LedgerProof: "test/contracts/proofs/LedgerProof.sol",
  StandingProof: "test/contracts/proofs/StandingProof.sol",
  EmergencyProof: "scripts/smt/EmergencyProof.sol",
  RecoveryProof: "scripts/smt/RecoveryProof.sol",
} as const;
export type ProofName = keyof typeof PROOFS;
export const PROOF_NAMES = Object.keys(PROOFS) as ProofName[];

/** Contracts that a proof sees otherwise than they are written. */
const OPENED: Readonly<Record<string, (text: string) => string>> = {
  "contracts/EmergencyAccess.sol": openedEmergencyAccess,
  "contracts/VaultRecovery.sol": openedVaultRecovery,
};
/** Claims that the checker was tried on in vain. */
const BEYOND: readonly Unproved[] = [
  {
    where: "contracts/ConsentRegistry.sol, isPermitted",
    claim: "a consent outside its period permits nothing",
    reason:
      "the loop over links with strings and lists is beyond the solver: the unbounded engine answers `might happen` after 135 s, the bounded " +
      "one nothing in 200 s; fuzzed instead, in testFuzz_isPermitted_onlyInsidePeriod",
  },
];
/** The checker's codes for a claim that holds always. */
const SAFE: ReadonlySet<string> = new Set(["2961", "9576"]);

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);

/**
 * Proves every claim with the SMTChecker of the npm compiler and the solver inside it; nothing is fetched.
 *
 * The bounded engine is asked, since it assumes nothing of the state before a call: a claim about one call that holds from any state holds
 * after any number of calls.
 *
 * @param read - Gives the text of a source file by its path in the repository; a test hands in wrong contracts.
 * @param names - Some of the proofs.
 */
export function proveAll(read: (path: string) => string = source, names: readonly ProofName[] = PROOF_NAMES): Proofs {
  const proofs = names.map((name) => prove(PROOFS[name], name, read));
  return {
    proved: proofs.flatMap(({ proved }) => proved),
    refuted: proofs.flatMap(({ refuted }) => refuted),
    unproved: BEYOND,
  };
}

const asItIs = (text: string): string => text;

export const source = (path: string): string =>
  readFileSync(join(root, path.startsWith("@") ? "node_modules" : "", path), "utf8");

function prove(file: string, contract: string, read: (path: string) => string): Omit<Proofs, "unproved"> {
  const solc = require("solc") as { compile(input: string, callbacks: object): string };
  const content = read(file);
  const modelChecker = {
    engine: "bmc",
    solvers: ["z3"],
    targets: ["assert"],
    showProvedSafe: true,
    showUnproved: true,
    contracts: { [file]: [contract] },
  };
  const input = {
    language: "Solidity",
    sources: { [file]: { content } },
    settings: { evmVersion: "cancun", modelChecker, outputSelection: { "*": { "*": [] } } },
  };
  const imported = (path: string): object => {
    try {
      return { contents: withoutPointers((OPENED[path] ?? asItIs)(read(path))) };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const { errors = [] } = JSON.parse(solc.compile(JSON.stringify(input), { import: imported })) as {
    errors?: readonly Problem[];
  };
  const failed = errors.find(({ severity }) => severity === "error");
  if (failed !== undefined) throw new Error(`${contract} does not compile: ${failed.message}`);

  const here = errors.filter(({ sourceLocation }) => sourceLocation?.file === file);
  const verdicts = new Map(here.map((problem) => [problem.sourceLocation?.start, problem]));
  const proved: Claim[] = [];
  const refuted: Unproved[] = [];
  for (const match of content.matchAll(/assert\((.*)\);/g)) {
    const before = content.slice(0, match.index);
    const claim = { where: `${file}:${before.split("\n").length}`, claim: match[1] ?? "" };
    const verdict = verdicts.get(Buffer.byteLength(before));
    if (verdict !== undefined && SAFE.has(verdict.errorCode ?? "")) proved.push(claim);
    // Of which nothing is said was not looked at: that is no proof.
    else refuted.push({ ...claim, reason: verdict?.message ?? "the checker says nothing of it" });
  }
  return { proved, refuted };
}

/**
 * The checker forgets all mappings where a storage pointer is set, so each pointer is written out as what it points to. That is the same
 * program as long as the keys do not change in between, and those of the ledger are arguments that nothing assigns to.
 */
function withoutPointers(text: string): string {
  const pointer = /^ *(?:mapping\(.*\)|\w+) storage (\w+) = (.+);\n/m;
  for (let match = pointer.exec(text); match !== null; match = pointer.exec(text)) {
    const [whole, name = "", target = ""] = match;
    const end = text.indexOf("\n    }\n", match.index);
    const body = text.slice(match.index + whole.length, end);
    text =
      text.slice(0, match.index) +
      body.replace(new RegExp(`\\b${name}\\b(?=[.[])`, "g"), () => target) +
      text.slice(end);
  }
  return text;
}
