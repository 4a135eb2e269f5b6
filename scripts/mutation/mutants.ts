import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, syntaxTrees, type Changed } from "./compiler.ts";
import { changesOf, type Node, type Operator } from "./operators.ts";

/** `content` is the whole file with the change. */
export interface Mutant extends Changed {
  readonly line: number;
  /** The function it is in, or the contract, the struct … that stands beside the functions. */
  readonly inside: string;
  readonly operator: Operator;
  readonly from: string;
  readonly to: string;
  /** In bytes of the file, where what is there and what comes there are of one type. */
  readonly place?: { readonly kind: "expression" | "statement"; readonly start: number; readonly end: number };
}

/** The contracts whose code is mutated; interfaces have none. */
export const contractFiles = (): string[] =>
  readdirSync(join(ROOT, "contracts"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sol") && !name.startsWith("interfaces"))
    .map((name) => `contracts/${name}`)
    .sort();

/** Every mutant of every contract, in the order of the sources. */
export function mutantsOf(): Mutant[] {
  const trees = syntaxTrees(contractFiles());
  return contractFiles().flatMap((file) => {
    const bytes = readFileSync(join(ROOT, file));
    const place = ({ src }: Node): readonly [start: number, end: number] => {
      const [start = 0, length = 0] = src.split(":").map(Number);
      return [start, start + length];
    };
    const textOf = (node: Node): string => bytes.subarray(...place(node)).toString();
    return placesOf(trees[file]?.ast).flatMap(({ node, inside }) =>
      changesOf(node, textOf).map(({ operator, at, text }) => {
        const [start, end] = place(at);
        const line = bytes.subarray(0, start).toString().split("\n").length;
        const content = Buffer.concat([bytes.subarray(0, start), Buffer.from(text), bytes.subarray(end)]).toString();
        const kind = kindOf(operator, at);
        const where = kind === undefined ? {} : { place: { kind, start, end } };
        return { file, line, inside, operator, from: textOf(at), to: text, content, ...where };
      }),
    );
  });
}

/** Literals have types of their own, and arguments need not have the same. */
function kindOf(operator: Operator, { typeDescriptions }: Node): "expression" | "statement" | undefined {
  if (operator === "removed statement") return "statement";
  return /^(bool|u?int\d+|bytes\d+|address)$/.test(typeDescriptions?.typeString ?? "") ? "expression" : undefined;
}

/** Depth first. Imports, types and documentation are left out. */
function placesOf(node: unknown, inside = ""): { readonly node: Node; readonly inside: string }[] {
  if (Array.isArray(node)) return node.flatMap((each) => placesOf(each, inside));
  if (typeof node !== "object" || node === null || !("nodeType" in node)) return [];
  const { nodeType, name } = node as Node;
  if (nodeType === "ImportDirective" || nodeType === "ElementaryTypeName" || nodeType === "ArrayTypeName") return [];
  const within = nodeType.endsWith("Definition") && typeof name === "string" && name !== "" ? name : inside;
  return [{ node: node as Node, inside: within }, ...Object.values(node).flatMap((each) => placesOf(each, within))];
}
