import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler } from "../../hardhat.config.ts";

/** What is deployed of this project's own; OpenZeppelin's AccessManager is deployed as OpenZeppelin built it. */
export const CONTRACTS = [
  "ConsentRegistry",
  "RecordAnchor",
  "DeviceRegistry",
  "PartyRegistry",
  "EmergencyAccess",
  "VaultRecovery",
  "AlertRules",
  "RuleEvaluator",
] as const;
export type ContractName = (typeof CONTRACTS)[number];

/** What the compiler takes, and explorers to verify a source. */
export interface StandardInput {
  readonly language: "Solidity";
  readonly sources: Readonly<Record<string, { readonly content: string }>>;
  readonly settings: object;
}

export interface CompiledContract {
  readonly contractName: ContractName;
  readonly abi: readonly object[];
  /** With the constructor; what is deployed. */
  readonly bytecode: string;
}

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts: Readonly<
    Record<string, Record<string, { abi: object[]; evm: { bytecode: { object: string } } }>>
  >;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);

/** Those sources that contracts are made of and no others, in the order of their names, with the settings of every build. */
export function standardInput(names: readonly ContractName[] = CONTRACTS): StandardInput {
  const found = new Map<string, { content: string }>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    const content = readFileSync(join(root, name.startsWith("@") ? "node_modules" : "", name), "utf8");
    found.set(name, { content });
    for (const [, path = ""] of content.matchAll(/^import [^"]*"([^"]+)";/gm)) {
      add(path.startsWith(".") ? join(dirname(name), path).replaceAll("\\", "/") : path);
    }
  };
  for (const name of names) add(sourceOf(name));
  const sources = Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { language: "Solidity", sources, settings: { ...compiler.settings, outputSelection: OUTPUT } };
}

/** Compiles an input with the npm compiler and nothing else. */
export function compile(input: StandardInput): CompiledContract[] {
  const solc = require("solc") as { compile(input: string): string };
  const { errors = [], contracts } = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const failed = errors.find(({ severity }) => severity === "error");
  if (failed !== undefined) throw new Error(failed.formattedMessage);
  return CONTRACTS.map((contractName) => {
    const compiled = contracts[sourceOf(contractName)]?.[contractName];
    if (compiled === undefined) throw new Error(`the compiler gives no ${contractName}`);
    return { contractName, abi: compiled.abi, bytecode: `0x${compiled.evm.bytecode.object}` };
  });
}

const OUTPUT = { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } };

export const sourceOf = (name: ContractName): string => `contracts/${name}.sol`;
