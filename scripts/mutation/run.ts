import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mulberry32 } from "../../examples/simulate.ts";
import { ROOT } from "./compiler.ts";
import { VerdictJournal } from "./journal.ts";
import { Bench } from "./kill.ts";
import { mutantsOf, type Mutant } from "./mutants.ts";
import { isOfCondition } from "./operators.ts";
import { MOST_OF_A_SCHEMA, NONE, schemaOf, type Schema } from "./schema.ts";
import { groupOf, testsOf } from "./suites.ts";
import type { Step } from "./tests.ts";
import type { Ruling, Task, Verdict } from "./worker.ts";

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
  const queue = sample === Infinity ? chunksOf(mutants) : shuffled(mutants, seed).map((mutant) => [mutant]);
  const judged: Judged[] = [];
  const killers = new Killers();
  let counted = 0;
  const add = (each: Judged): void => {
    killers.note(each);
    if (counted >= sample) return;
    judged.push(each);
    if (isCounted(each.verdict)) counted++;
    onVerdict?.(each);
  };
  const judgeOne = async (mutant: Mutant, bench: Bench, of: Task["of"]): Promise<Ruling> => {
    const among = of === undefined ? {} : { of };
    const task = { changed: mutant, tests: testsFor(mutant.file), first: killers.of(mutant), unchanged: false };
    const ruling = await bench.judge({ ...task, ...among });
    if (ruling.by !== undefined) await assertSound(mutant.file, ruling.by, bench, of?.schema);
    if (!quick || ruling.verdict !== "survived") journal.put(mutant, ruling);
    return ruling;
  };
  const work = async (): Promise<void> => {
    let bench: Bench | undefined;
    try {
      for (let chunk = queue.shift(); chunk !== undefined && counted < sample; chunk = queue.shift()) {
        let schema: Schema | undefined;
        for (const [i, mutant] of chunk.entries()) {
          let ruling = journal.get(mutant);
          if (ruling === undefined) {
            bench ??= new Bench();
            if (chunk.length > 1) schema ??= schemaOf(readFileSync(join(ROOT, mutant.file)), chunk);
            ruling = await judgeOne(mutant, bench, schema && { schema, number: i + 1 });
          }
          add({ ...mutant, ...ruling });
        }
      }
    } finally {
      bench?.close();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return judged;
}

/** @throws Error when the test that killed a mutant of `file` fails on the file as it is: then the kill means nothing. */
async function assertSound(file: string, by: Step, bench: Bench, schema?: Schema): Promise<void> {
  const of = schema === undefined ? {} : { of: { schema, number: NONE } };
  const key = JSON.stringify([file, by, schema?.content]);
  const changed = { file, content: readFileSync(join(ROOT, file), "utf8") };
  const known = passes.get(key);
  const judged = known ?? bench.judge({ changed, tests: [], first: [by], unchanged: true, ...of }).then(isSurvivor);
  passes.set(key, judged);
  if (!(await judged)) throw new Error(`a test of ${file} fails on it as it is: ${JSON.stringify(by)}`);
}
const passes = new Map<string, Promise<boolean>>();

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

/** Neighbours of one file that can be compiled together; the others alone. */
function chunksOf(mutants: readonly Mutant[]): Mutant[][] {
  const chunks: Mutant[][] = [];
  const open = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    let chunk = mutant.place && open.get(mutant.file);
    if (chunk === undefined || chunk.length === MOST_OF_A_SCHEMA) chunks.push((chunk = []));
    if (mutant.place) open.set(mutant.file, chunk);
    chunk.push(mutant);
  }
  return chunks;
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = mulberry32(seed);
  return items
    .map((item) => ({ item, rank: next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
