import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiler } from "../hardhat.config.ts";
import { runMain } from "./main.ts";
import { compile, standardInput } from "./package/standard-input.ts";

const FOLDER = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist", "contracts");

/** Writes what integrators build on: for each contract its ABI and bytecode, and the compiler's input that gives them. */
await runMain(async () => {
  const input = standardInput();
  const write = (name: string, content: object): Promise<void> =>
    writeFile(join(FOLDER, `${name}.json`), `${JSON.stringify(content, undefined, 2)}\n`);
  await mkdir(FOLDER, { recursive: true });
  await write(`solc-${compiler.version}-input`, input);
  for (const contract of compile(input)) await write(contract.contractName, contract);
});
