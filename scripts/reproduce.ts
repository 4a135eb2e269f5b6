import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runMain } from "./main.ts";
import { compile, CONTRACTS, standardInput } from "./package/standard-input.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const COPIED = ["contracts", "tools", "package.json", "hardhat.config.ts"];

/** Builds the contracts cleanly in two folders, and a third time with the compiler alone, and compares every byte. */
await runMain(() => {
  const [first, second] = [cleanBuild(), cleanBuild()];
  const alone = compile(standardInput());
  const differ = CONTRACTS.filter((name, i) => first[i] !== second[i] || first[i] !== alone[i]?.bytecode);
  for (const name of CONTRACTS) console.log(`${differ.includes(name) ? "DIFFERS" : "same   "} ${name}`);
  console.log(
    `${CONTRACTS.length - differ.length} the same in two clean builds and from the standard input, ${differ.length} not`,
  );
  process.exitCode = differ.length > 0 ? 1 : 0;
  return Promise.resolve();
});

/** The bytecode of the contracts, in their order, from a folder where nothing was built before. */
function cleanBuild(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "medseal-build-"));
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "dir");
    const cli = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
    const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" };
    const { status } = spawnSync(process.execPath, [cli, "build", "--no-typechain", "--no-tests"], {
      cwd: folder,
      stdio: ["ignore", 2, 2],
      env,
    });
    if (status !== 0) throw new Error("the contracts do not build");
    return CONTRACTS.map((name) => {
      const artifact = join(folder, "artifacts", "contracts", `${name}.sol`, `${name}.json`);
      return (JSON.parse(readFileSync(artifact, "utf8")) as { bytecode: string }).bytecode;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
