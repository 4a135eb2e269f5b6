import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mulberry32 } from "../../examples/simulate.ts";
import { ROOT } from "./compiler.ts";
import { VerdictJournal } from "./journal.ts";
import { Bench } from "./kill.ts";
import { mutantsOf, type Mutant } from "./mutants.ts";
import { isOfCondition } from "./operators.ts";
import { groupOf, testsOf } from "./suites.ts";
import type { Step } from "./tests.ts";
import type { Ruling, Verdict } from "./worker.ts";

export interface Judged extends Mutant, Ruling {}

export interface RunOptions {
  /** Only these mutants. */
  readonly where?: (mutant: Mutant) => boolean;
  /** Mutants to judge, drawn by `seed`; all of them by default. */
  readonly sample?: number;
  readonly seed?: number;
  readonly workers?: number;
  /** Without the tests that take long; what survives is judged again by the next run. */
  readonly quick?: boolean;
  readonly journal?: VerdictJournal;
  readonly onVerdict?: (judged: Judged) => void;
}

/** Judges mutants of the contracts by the contract tests; those that compile to nothing or to the same code do not count into a sample. */
export async function judgeMutants(options: RunOptions = {}): Promise<Judged[]> {
  const { where = () => true, sample = Infinity, seed = 1, workers = 1, quick = false, onVerdict } = options;
  const { journal = new VerdictJournal() } = options;
  const testsFor = (file: string): readonly string[] => (quick ? groupOf(file).suites : testsOf(file));
  const mutants = mutantsOf()
    .filter(where)
    .sort((a, b) => Number(isOfCondition(b.operator)) - Number(isOfCondition(a.operator)));
  const queue = sample === Infinity ? mutants : shuffled(mutants, seed);
  const judged: Judged[] = [];
  const killers = new Killers();
  const passes = new Map<string, Promise<boolean>>();
  let counted = 0;
  const add = (each: Judged): void => {
    killers.note(each);
    if (counted >= sample) return;
    judged.push(each);
    if (isCounted(each.verdict)) counted++;
    onVerdict?.(each);
  };
  const work = async (): Promise<void> => {
    let bench: Bench | undefined;
    try {
      for (let mutant = queue.shift(); mutant !== undefined && counted < sample; mutant = queue.shift()) {
        let ruling = journal.get(mutant);
        if (ruling === undefined) {
          const at = (bench ??= new Bench());
          const task = { changed: mutant, tests: testsFor(mutant.file), first: killers.of(mutant) };
          ruling = await at.judge({ ...task, unchanged: false });
          if (ruling.by !== undefined) await assertSound(mutant.file, ruling.by, at, passes);
          if (!quick || ruling.verdict !== "survived") journal.put(mutant, ruling);
        }
        add({ ...mutant, ...ruling });
      }
    } finally {
      bench?.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return judged;
}

/** @throws Error when the test that killed a mutant of `file` fails on the file as it is: then the kill means nothing. */
async function assertSound(file: string, by: Step, bench: Bench, passes: Map<string, Promise<boolean>>): Promise<void> {
  const key = JSON.stringify([file, by]);
  const changed = { file, content: readFileSync(join(ROOT, file), "utf8") };
  const judged = passes.get(key) ?? bench.judge({ changed, tests: [], first: [by], unchanged: true }).then(isSurvivor);
  passes.set(key, judged);
  if (!(await judged)) throw new Error(`a test of ${file} fails on it as it is: ${key}`);
}

const isSurvivor = ({ verdict }: Ruling): boolean => verdict === "survived";

export const isCounted = (verdict: Verdict): boolean => verdict === "killed" || verdict === "survived";

/** The tests that killed lately, by function and by file: they are likely to kill the neighbours. */
class Killers {
  readonly #lately = new Map<string, Step[]>();

  note({ file, inside, by }: Judged): void {
    if (by?.test === undefined) return;
    for (const place of [`${file} ${inside}`, file]) {
      const others = (this.#lately.get(place) ?? []).filter(({ test }) => test !== by.test);
      this.#lately.set(place, [by, ...others].slice(0, 4));
    }
  }

  of({ file, inside }: Mutant): Step[] {
    const lately = [`${file} ${inside}`, file].flatMap((place) => this.#lately.get(place) ?? []);
    return lately.filter(({ test }, i) => lately.findIndex((other) => other.test === test) === i).slice(0, 5);
  }
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = mulberry32(seed);
  return items
    .map((item) => ({ item, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
