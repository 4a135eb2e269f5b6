import { createRequire } from "node:module";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { changesOf, type Node, type Operator } from "./operators.ts";

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly operator: Operator;
  readonly from: string;
  readonly to: string;
  /** The whole file with the change. */
  readonly content: string;
}

const require = createRequire(import.meta.url);

/** The contracts whose code is mutated; interfaces have none. */
export const contractFiles = (): string[] =>
  readdirSync(join(ROOT, "contracts"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sol") && !name.startsWith("interfaces"))
    .map((name) => `contracts/${name}`)
    .sort();

/** Every mutant of every contract, in the order of the sources. */
export function mutantsOf(): Mutant[] {
  const trees = syntaxTrees();
  return contractFiles().flatMap((file) => {
    const bytes = readFileSync(join(ROOT, file));
    const place = ({ src }: Node): readonly [start: number, end: number] => {
      const [start = 0, length = 0] = src.split(":").map(Number);
      return [start, start + length];
    };
    const textOf = (node: Node): string => bytes.subarray(...place(node)).toString();
    const changes = nodesOf(trees[file]?.ast).flatMap((node) => changesOf(node, textOf));
    return changes.map(({ operator, at, text }) => {
      const [start, end] = place(at);
      const line = bytes.subarray(0, start).toString().split("\n").length;
      const content = Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]).toString();
      return { file, line, operator, from: textOf(at), to: text, content };
    });
  });
}

function syntaxTrees(): Readonly<Record<string, { readonly ast: Node }>> {
  const solc = require("solc") as { compile(input: string, callbacks: object): string };
  const sources = Object.fromEntries(contractFiles().map((file) => [file, { content: read(file) }]));
  const settings = { evmVersion: "cancun", outputSelection: { "*": { "": ["ast"] } } };
  const imported = (path: string): object => ({
    contents: read(path.startsWith("@") ? join("node_modules", path) : path),
  });
  const output = solc.compile(JSON.stringify({ language: "Solidity", sources, settings }), { import: imported });
  return (JSON.parse(output) as { sources: Record<string, { ast: Node }> }).sources;
}

/** Depth first. Imports, types and documentation are left out. */
function nodesOf(node: unknown): Node[] {
  if (Array.isArray(node)) return node.flatMap(nodesOf);
  if (typeof node !== "object" || node === null || !("nodeType" in node)) return [];
  const { nodeType } = node as Node;
  if (nodeType === "ImportDirective" || nodeType === "ElementaryTypeName" || nodeType === "ArrayTypeName") return [];
  return [node as Node, ...Object.values(node).flatMap(nodesOf)];
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
