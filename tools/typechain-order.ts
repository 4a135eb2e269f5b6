import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HookContext } from "hardhat/types/hooks";
import { definePlugin } from "hardhat/plugins";

/**
 * Makes the output of TypeChain a function of the contracts alone, so that it can be committed and compared.
 *
 * TypeChain lists contracts in the order in which they happened to be compiled, and leaves the files of removed contracts behind.
 * This runs after it in every build: entries are sorted, files that nothing refers to are removed.
 */
export const typechainOrder = definePlugin({
  id: "medseal-typechain-order",
  hookHandlers: {
    solidity: () =>
      Promise.resolve({ default: () => Promise.resolve({ processArtifactsAfterSuccessfulBuild: order }) }),
  },
});

function order(context: HookContext): Promise<void> {
  orderTypes(context.config.typechain.outDir ?? "types");
  return Promise.resolve();
}

/** Lines that may change places with their neighbours of the same kind. */
const ENTRY = /^\s*(export (?:type )?\{ .* \} from|export (?:type )?\* as|import type \* as|(\w+)\(name: ')/;

function orderTypes(folder: string): void {
  if (!existsSync(folder)) return;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
  for (const file of files.filter((name) => /(^|[\\/])(index|hardhat\.d)\.ts$/.test(name))) {
    const before = readFileSync(file, "utf8");
    const after = sortEntries(before.split("\n")).join("\n");
    if (after !== before) writeFileSync(file, after);
  }
  const used = reachable(join(folder, "index.ts"));
  for (const file of files) {
    if (file.endsWith(".ts") && !file.endsWith("hardhat.d.ts") && !used.has(file)) rmSync(file);
  }
}

/** Sorts each run of consecutive entries of one kind. */
function sortEntries(lines: readonly string[]): string[] {
  const sorted: string[] = [];
  let run: string[] = [];
  let runKind: string | undefined;
  for (const line of [...lines, ""]) {
    const match = ENTRY.exec(line);
    const kind = match === null ? undefined : (match[2] ?? "export");
    if (kind === undefined || kind !== runKind) {
      sorted.push(...run.sort());
      run = [];
      runKind = kind;
    }
    if (kind === undefined) sorted.push(line);
    else run.push(line.trim());
  }
  return sorted.slice(0, -1);
}

/** The files that `file` imports or exports from, directly or not, itself included. */
function reachable(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file) || !existsSync(file)) return found;
  found.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/ from ["'](\.[^"']*)\.js["']/g)) {
    reachable(`${join(dirname(file), path ?? "")}.ts`, found);
  }
  return found;
}
