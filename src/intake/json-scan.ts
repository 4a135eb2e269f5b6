import type { Problem } from "./types.ts";

/** Where a text breaks a rule that a recursive parser could not keep: nesting without end, and two equal keys. */
export interface ScanFinding {
  readonly problem: Problem;
  /** 0-based index of the character. */
  readonly position: number;
}

/** Looks at brackets, strings and commas only; whether the text is JSON otherwise is for the parser to say. */
export function scanJson(text: string, maxDepth: number): ScanFinding | undefined {
  /** Keys of each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let keyIsNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: {
        const end = endOfString(text, i);
        const keys = keyIsNext ? open.at(-1) : undefined;
        if (keys) {
          const key = keyText(text.slice(i, end + 1));
          if (key !== undefined && keys.has(key)) {
            return {
              problem: { code: "ERR_JSON_DUPLICATE_KEY", reason: "an object has two members of one name" },
              position: i,
            };
          }
          if (key !== undefined) keys.add(key);
          keyIsNext = false;
        }
        i = end;
        break;
      }
      case 0x7b:
      case 0x5b:
        keyIsNext = text[i] === "{";
        open.push(keyIsNext ? new Set() : undefined);
        if (open.length > maxDepth) {
          return { problem: { code: "ERR_JSON_DEPTH", reason: `nested deeper than ${maxDepth} levels` }, position: i };
        }
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        keyIsNext = false;
        break;
      case 0x2c:
        keyIsNext = open.at(-1) !== undefined;
        break;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}

/** Keys are equal when what they spell is, with or without escapes. */
function keyText(token: string): string | undefined {
  if (!token.includes("\\")) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    return undefined;
  }
}
