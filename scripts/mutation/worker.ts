import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BUILD, compiled, compiledQuickly, ROOT, type Changed, type Compiled } from "./compiler.ts";
import { CONTRACTS, sourceOf, standardInput } from "../package/standard-input.ts";
import { codeOfMutant, type Schema } from "./schema.ts";
import { failureOf, isSolidity, type Step } from "./tests.ts";

/** Stillborn: the compiler refuses it. Equivalent: it compiles to the same code. Neither is counted. */
export type Verdict = "killed" | "survived" | "equivalent" | "stillborn";

export interface Task {
  readonly changed: Changed;
  readonly tests: readonly string[];
  /** What is likely to kill it. */
  readonly first: readonly Step[];
  /** The file is as it is: its tests have to pass on it. */
  readonly unchanged: boolean;
  /** Where `changed` is one of many, or none of them. */
  readonly of?: { readonly schema: Schema; readonly number: number };
}
export interface Ruling {
  readonly verdict: Verdict;
  readonly by?: Step;
}
/** What a worker says: the step that it begins, or the end. */
export type Saying = { readonly begins: Step } | { readonly ruling: Ruling };

const say = (saying: Saying): void => void process.send?.(saying);

async function judge({ changed, tests, first, unchanged, of }: Task): Promise<Ruling> {
  const contracts = builtFrom(changed.file);
  // A case that a fuzzer found for the mutant before is none that the suites know.
  rmSync(join(ROOT, "cache", "edr"), { recursive: true, force: true });

  const built = new Set<string>();
  const build = (files: readonly string[]): boolean => {
    const wanted = files.filter((file) => !built.has(file));
    if (wanted.length === 0) return true;
    const code = (of && compiledAsOneOf(wanted, changed.file, of)) ?? compiledQuickly(wanted, changed);
    if (code === undefined) return false;
    put(code);
    for (const file of wanted) built.add(file);
    return true;
  };

  let isNew = unchanged;
  for (const step of [...first, ...tests.map((file): Step => ({ file }))]) {
    // The slow compiler is asked only about what the short tests leave alive.
    if (!isNew && step.test === undefined && !isShort(step.file)) {
      const same = sameAs(contracts, changed);
      if (same !== undefined) return { verdict: same };
      isNew = true;
    }
    if (!build(isSolidity(step.file) ? [step.file] : contracts)) {
      // What compiles only without a test fails it.
      const isAlive = isNew || compiled(contracts, changed, BUILD) !== undefined;
      return isAlive ? { verdict: "killed", by: { file: step.file } } : { verdict: "stillborn" };
    }
    say({ begins: step });
    const by = await failureOf(step);
    if (by !== undefined) return { verdict: "killed", by };
  }
  return { verdict: (isNew ? undefined : sameAs(contracts, changed)) ?? "survived" };
}

const isShort = (file: string): boolean => file.startsWith("test/contracts/") && !isSolidity(file);

/** What the build says of a change that makes no other contract. */
function sameAs(contracts: readonly string[], changed: Changed): "equivalent" | "stillborn" | undefined {
  const code = compiled(contracts, changed, BUILD);
  if (code === undefined) return "stillborn";
  return codeOf(code) === originalCode(contracts) ? "equivalent" : undefined;
}

/** What the schema that is in hand compiled to, by what was compiled. */
const inHand = { content: "", compiled: new Map<string, Contracts | undefined>() };

function compiledAsOneOf(files: readonly string[], file: string, of: NonNullable<Task["of"]>): Contracts | undefined {
  const { content } = of.schema;
  if (inHand.content !== content) {
    inHand.content = content;
    inHand.compiled.clear();
  }
  const key = files.join();
  if (!inHand.compiled.has(key)) inHand.compiled.set(key, compiledQuickly(files, { file, content }));
  const all = inHand.compiled.get(key);
  return all && (JSON.parse(codeOfMutant(JSON.stringify(all), of.number)) as Contracts);
}

type Contracts = NonNullable<ReturnType<typeof compiled>>;

/** The sources of the contracts that `file` is part of. */
const builtFrom = (file: string): string[] =>
  CONTRACTS.filter((name) => file in standardInput([name]).sources).map(sourceOf);

const codeOf = (contracts: Contracts): string =>
  JSON.stringify(
    Object.values(contracts)
      .flatMap(Object.values<Compiled>)
      .map(({ evm }) => evm.bytecode.object),
  );

const originals = new Map<string, string>();

function originalCode(files: readonly string[]): string {
  const key = files.join();
  const known = originals.get(key);
  if (known !== undefined) return known;
  const contracts = compiled(files, undefined, BUILD);
  if (contracts === undefined) throw new Error("the contracts do not compile");
  originals.set(key, codeOf(contracts));
  return codeOf(contracts);
}

/** Where Hardhat looks for what a test deploys or runs. */
function put(contracts: Contracts): void {
  for (const [sourceName, byName] of Object.entries(contracts)) {
    for (const [contractName, contract] of Object.entries(byName)) {
      const path = join(ROOT, "artifacts", sourceName, `${contractName}.json`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, JSON.stringify(artifactOf(sourceName, contractName, contract)));
    }
  }
}

const artifactOf = (sourceName: string, contractName: string, { abi, evm }: Compiled): object => ({
  ...{ _format: "hh3-artifact-1", contractName, sourceName, inputSourceName: `project/${sourceName}`, abi },
  ...{ bytecode: `0x${evm.bytecode.object}`, deployedBytecode: `0x${evm.deployedBytecode.object}` },
  ...{ linkReferences: {}, deployedLinkReferences: {}, immutableReferences: {}, buildInfoId: BUILD_INFO },
});
/** Hardhat reads the compiler's version from it. */
const BUILD_INFO = "solc-0_8_37-0";

process.on("disconnect", () => process.exit());
// A test that ended at its first failure may leave promises behind that nobody awaits any more.
process.on("unhandledRejection", () => {});
process.on("message", (task: Task) => {
  judge(task).then(
    (ruling) => say({ ruling }),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
