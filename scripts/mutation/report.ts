import { isOfCondition, type Operator } from "./operators.ts";
import { plain, reasonFor } from "./reasons.ts";
import { isCounted, type Judged } from "./run.ts";

/** The least share of all mutants that must be killed; of conditions all that are not excused. */
const LEAST = 0.9;

export interface Score {
  readonly mutants: number;
  readonly killed: number;
}
export interface Survivor {
  readonly at: string;
  readonly operator: Operator;
  readonly change: string;
  /** Why no test can tell it from the contract; without one, a test is missing. */
  readonly reason?: string;
}
export interface MutationReport extends Score {
  /** Negated and removed conditions. */
  readonly conditions: Score;
  /** Changes that compile to the same code, and those that do not compile; they are not counted. */
  readonly equivalent: number;
  readonly stillborn: number;
  readonly contracts: Readonly<Record<string, Score>>;
  readonly survivors: readonly Survivor[];
}

export function reportOf(judged: readonly Judged[]): MutationReport {
  const counted = judged.filter(({ verdict }) => isCounted(verdict));
  const having = (verdict: string): number => judged.filter((each) => each.verdict === verdict).length;
  const byFile = Map.groupBy(counted, ({ file }) => file);
  return {
    ...scoreOf(counted),
    conditions: scoreOf(counted.filter(({ operator }) => isOfCondition(operator))),
    equivalent: having("equivalent"),
    stillborn: having("stillborn"),
    contracts: Object.fromEntries([...byFile].sort().map(([file, mutants]) => [file, scoreOf(mutants)])),
    survivors: counted.filter(({ verdict }) => verdict === "survived").map(survivorOf),
  };
}

/** Whether enough is killed, and every condition that is not excused. */
export const isEnough = ({ mutants, killed, survivors }: MutationReport): boolean =>
  killed >= LEAST * mutants &&
  survivors.every(({ operator, reason }) => !isOfCondition(operator) || reason !== undefined);

const scoreOf = (counted: readonly Judged[]): Score => ({
  mutants: counted.length,
  killed: counted.filter(({ verdict }) => verdict === "killed").length,
});

function survivorOf(mutant: Judged): Survivor {
  const { file, line, operator } = mutant;
  const reason = reasonFor(mutant);
  return {
    ...{ at: `${file}:${line}`, operator, change: changeOf(mutant) },
    ...(reason === undefined ? {} : { reason }),
  };
}

export const changeOf = ({ from, to }: Judged): string => `${plain(from)} -> ${plain(to)}`;
