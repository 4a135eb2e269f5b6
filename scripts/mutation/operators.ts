/** A node of the compiler's syntax tree, as far as it is read here. */
export interface Node {
  readonly nodeType: string;
  /** `start:length:file`, in bytes. */
  readonly src: string;
  readonly operator?: string;
  readonly kind?: string;
  readonly condition?: Node;
  readonly expression?: Node;
  readonly leftExpression?: Node;
  readonly rightExpression?: Node;
  readonly subExpression?: Node;
  readonly arguments?: readonly Node[];
  readonly typeDescriptions?: { readonly typeString?: string };
  readonly [field: string]: unknown;
}

export type Operator =
  "negated condition" | "removed condition" | "boundary" | "removed statement" | "swapped operands" | "other operator";

/** Whether nothing but a proof of equivalence excuses that it survives. */
export const isOfCondition = (operator: Operator): boolean =>
  operator === "negated condition" || operator === "removed condition";

/** One change of one place: the bytes of `at` become `text`. */
export interface Change {
  readonly operator: Operator;
  readonly at: Node;
  readonly text: string;
}

/** The next comparison up or down: what an off-by-one error would write. */
const BOUNDARY: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const OTHER: Readonly<Record<string, string>> = {
  ...{ "+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", ">>": "<<", "<<": ">>" },
  ...{ "==": "!=", "!=": "==" },
};
const ORDERED: ReadonlySet<string> = new Set(["-", "/", "%", "<", ">", "<=", ">=", ">>", "<<"]);
const STATEMENTS: ReadonlySet<string> = new Set(["ExpressionStatement", "EmitStatement", "RevertStatement", "Break"]);

/** @param textOf - The source of a node. */
export function changesOf(node: Node, textOf: (node: Node) => string): Change[] {
  const change = (operator: Operator, text: string, at: Node = node): Change => ({ operator, at, text });
  const { condition, operator = "", leftExpression: left, rightExpression: right, subExpression: sub } = node;
  const isBool = node.typeDescriptions?.typeString === "bool";
  switch (node.nodeType) {
    case "IfStatement":
      if (condition === undefined) return [];
      return [
        ...negated(condition, textOf),
        change("removed condition", "false", condition),
        change("removed condition", "true", condition),
      ];
    case "Return": {
      const { expression } = node;
      const gone = removed(node, textOf);
      return expression?.typeDescriptions?.typeString === "bool" ? [...gone, ...negated(expression, textOf)] : gone;
    }
    case "BinaryOperation": {
      if (left === undefined || right === undefined) return [];
      const [a, b] = [textOf(left), textOf(right)];
      const found: Change[] = [];
      if (operator === "&&" || operator === "||") {
        found.push(change("removed condition", `(${a})`), change("removed condition", `(${b})`));
        found.push(change("other operator", `((${a}) ${operator === "&&" ? "||" : "&&"} (${b}))`));
      }
      const boundary = BOUNDARY[operator];
      if (boundary !== undefined) found.push(change("boundary", `(${a} ${boundary} ${b})`));
      if (ORDERED.has(operator)) found.push(change("swapped operands", `(${b} ${operator} ${a})`));
      const other = OTHER[operator];
      if (other !== undefined)
        found.push(change(isBool ? "negated condition" : "other operator", `(${a} ${other} ${b})`));
      return found;
    }
    case "UnaryOperation":
      return sub !== undefined && (operator === "!" || operator === "~")
        ? [change(operator === "!" ? "negated condition" : "other operator", `(${textOf(sub)})`)]
        : [];
    case "FunctionCall": {
      const [first, second] = node.arguments ?? [];
      if (node.kind !== "functionCall" || first === undefined || second === undefined) return [];
      const [a, b] = [textOf(first), textOf(second)];
      const both = { nodeType: "Arguments", src: spanOf(first, second) };
      return a === b ? [] : [change("swapped operands", `${b}, ${a}`, both)];
    }
    case "Literal":
      return node.kind === "number" ? [change("boundary", plusOne(textOf(node)))] : [];
    default:
      return STATEMENTS.has(node.nodeType) ? removed(node, textOf) : [];
  }
}

/** A comparison for equality and a `!` are negated where they stand. */
const negated = (condition: Node, textOf: (node: Node) => string): Change[] =>
  ["==", "!=", "!"].includes(condition.operator ?? "")
    ? []
    : [{ operator: "negated condition", at: condition, text: `!(${textOf(condition)})` }];

/** The compiler counts the semicolon to no statement; the step of a loop has none and stays. */
function removed({ nodeType, src }: Node, textOf: (node: Node) => string): Change[] {
  const [start = 0, length = 0, file = 0] = src.split(":").map(Number);
  const at = { nodeType, src: `${start}:${length + 1}:${file}` };
  return textOf(at).endsWith(";") ? [{ operator: "removed statement", at, text: "{}" }] : [];
}

/** `15 minutes` becomes `16 minutes`, `0x00` becomes `0x01`. */
const plusOne = (text: string): string =>
  text.replace(/^0x[0-9a-fA-F]+|^[0-9_]+/, (digits) => {
    const next = BigInt(digits.replaceAll("_", "")) + 1n;
    return digits.startsWith("0x") ? `0x${next.toString(16).padStart(digits.length - 2, "0")}` : String(next);
  });

function spanOf(first: Node, last: Node): string {
  const [start = 0] = first.src.split(":").map(Number);
  const [lastStart = 0, length = 0, file = 0] = last.src.split(":").map(Number);
  return `${start}:${lastStart + length - start}:${file}`;
}
