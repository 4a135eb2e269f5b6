import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler } from "../../hardhat.config.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Settings of the build: code that they leave the same is the same contract. */
export const BUILD = compiler.settings;
/** Compile in a third of the time. The second has the optimizer's place for variables, without which some functions have too many. */
const QUICK = [
  { ...BUILD, optimizer: { enabled: false } },
  {
    ...BUILD,
    optimizer: { enabled: false, details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: ":" } } },
  },
];

export interface Compiled {
  readonly abi: readonly object[];
  readonly evm: {
    readonly bytecode: { readonly object: string };
    readonly deployedBytecode: { readonly object: string };
  };
}
interface Output {
  readonly errors?: readonly { readonly severity: string }[];
  readonly sources: Readonly<Record<string, { readonly ast: unknown }>>;
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, Compiled>>>>;
}

/** No more than is read: writing source maps down takes as long as compiling. */
const CODE = { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } };
const require = createRequire(import.meta.url);
const solc = require("solc") as { compile(input: string, callbacks: object): string };

/** A source file with another content than on disk. */
export interface Changed {
  readonly file: string;
  readonly content: string;
}

/**
 * The contracts of `files`, by file and name; `undefined` where the compiler refuses them. Those of the tests' own helpers
 * come along: Hardhat calls what an invariant test made only where it finds that code among the artifacts.
 */
export function compiled(
  files: readonly string[],
  changed: Changed | undefined,
  settings: object,
): Output["contracts"] {
  const contracts = outputOf(files, { ...settings, outputSelection: CODE }, changed)?.contracts;
  const isWanted = (file: string): boolean => files.includes(file) || file.startsWith("test/");
  return contracts && Object.fromEntries(Object.entries(contracts).filter(([file]) => isWanted(file)));
}

/** The same for a test, in little time: not the code of the build, but what does the same. */
export function compiledQuickly(files: readonly string[], changed: Changed): Output["contracts"] {
  const key = files.join();
  const from = Number(needPlace.has(key));
  for (const [i, settings] of QUICK.entries()) {
    const contracts = i < from ? undefined : compiled(files, changed, settings);
    if (contracts === undefined) continue;
    if (i > 0) needPlace.add(key);
    return contracts;
  }
  return undefined;
}
const needPlace = new Set<string>();

/** The syntax trees of `files`. */
export function syntaxTrees(files: readonly string[]): Output["sources"] {
  const output = outputOf(files, { evmVersion: BUILD.evmVersion, outputSelection: { "*": { "": ["ast"] } } });
  if (output === undefined) throw new Error("the contracts do not compile");
  return output.sources;
}

function outputOf(files: readonly string[], settings: object, changed?: Changed): Output | undefined {
  const contentOf = (path: string): string =>
    path === changed?.file
      ? changed.content
      : readFileSync(join(ROOT, path.startsWith("@") ? "node_modules" : "", path), "utf8");
  const sources = Object.fromEntries(files.map((file) => [file, { content: contentOf(file) }]));
  const imported = (path: string): object => ({ contents: contentOf(path) });
  const input = JSON.stringify({ language: "Solidity", sources, settings });
  const output = JSON.parse(solc.compile(input, { import: imported })) as Output;
  return output.errors?.some(({ severity }) => severity === "error") ? undefined : output;
}
