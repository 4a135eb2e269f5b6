/** One command of the tour and what stands under it. */
export interface Step {
  readonly command: string;
  readonly expected: string;
  /** Where command and output stand in the README. */
  readonly whole: { readonly from: number; readonly to: number };
}

const BLOCK = /^```console\n([^]*?)^```$/gm;

/** Every `$ command` of the console blocks, with the lines under it. */
export function tourOf(readme: string): Step[] {
  const steps: Step[] = [];
  for (const block of readme.matchAll(BLOCK)) {
    const start = block.index + "```console\n".length;
    const body = block[1] as string;
    for (const { 1: command = "", 2: expected = "", index, 0: all } of body.matchAll(
      /^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm,
    )) {
      const from = start + index;
      steps.push({ command, expected, whole: { from, to: from + all.length } });
    }
  }
  return steps;
}

/** What is another one in every run; the recording's own times, on 2026-03-01, are not. */
const VARIES: readonly (readonly [RegExp, string])[] = [
  // Said only where the contracts were not built before.
  [/^(?:No contracts to compile|Compiled .*)\n/gm, ""],
  [/0x[0-9a-fA-F]{2,64}/g, "0x…"],
  [/\b[0-9a-f]{64}\b/g, "…"],
  [/\bid [0-9a-f]{10}\b/g, "id …"],
  [/\bbafk[a-z2-7]+/g, "bafk…"],
  [/^( *(?:fingerprint)? *)[a-z]{3,8}(?: [a-z]{3,8}){7}$/gm, "$1words"],
  [/(?!2026-03-01)\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(?: UTC|Z)/g, "time"],
  [/\bblock \d+/g, "block N"],
  [/\d+,\d{3} (gas|bytes)/g, "N $1"],
  [/http:\/\/127\.0\.0\.1:\d+/g, "http://127.0.0.1:N"],
  [/[\w./-]*\/(?=home\/|bidmc_numerics\/)/g, "…/"],
];

const settled = (text: string): string =>
  VARIES.reduce((rest, [pattern, word]) => rest.replace(pattern, word), text.trimEnd());

/** The lines that differ, if any do. */
export function compare({ command, expected }: Step, printed: string): string[] {
  const [wanted, found] = [settled(expected), settled(printed)];
  return wanted === found ? [] : [`$ ${command}\nthe README shows\n${wanted}\nit printed\n${found}\n`];
}
