import { mulberry32 } from "../../examples/simulate.ts";
import { VerdictJournal } from "./journal.ts";
import { Bench, type Verdict } from "./kill.ts";
import { mutantsOf, type Mutant } from "./mutants.ts";

export interface Judged extends Mutant {
  readonly verdict: Verdict;
}

export interface RunOptions {
  /** Only mutants of files whose path holds this. */
  readonly only?: string;
  /** Mutants to judge, drawn by `seed`; all of them by default. */
  readonly sample?: number;
  readonly seed?: number;
  readonly workers?: number;
  readonly journal?: VerdictJournal;
  readonly onVerdict?: (judged: Judged) => void;
}

/** Judges mutants of the contracts by the contract tests; those that compile to nothing or to the same code do not count into a sample. */
export async function judgeMutants(options: RunOptions = {}): Promise<Judged[]> {
  const { only = "", sample = Infinity, seed = 1, workers = 1, journal = new VerdictJournal(), onVerdict } = options;
  const mutants = mutantsOf().filter(({ file }) => file.includes(only));
  const queue = sample === Infinity ? mutants : shuffled(mutants, seed);
  const judged: Judged[] = [];
  let counted = 0;
  const add = (mutant: Mutant, verdict: Verdict): void => {
    const each = { ...mutant, verdict };
    judged.push(each);
    if (isCounted(verdict)) counted++;
    onVerdict?.(each);
  };
  const work = async (): Promise<void> => {
    let bench: Bench | undefined;
    try {
      for (let mutant = queue.shift(); mutant !== undefined && counted < sample; mutant = queue.shift()) {
        let verdict = journal.get(mutant);
        if (verdict === undefined) {
          bench ??= new Bench();
          verdict = await bench.judge(mutant);
          journal.put(mutant, verdict);
        }
        if (counted < sample) add(mutant, verdict);
      }
    } finally {
      bench?.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return judged;
}

export const isCounted = (verdict: Verdict): boolean => verdict === "killed" || verdict === "survived";

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = mulberry32(seed);
  return items
    .map((item) => ({ item, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
