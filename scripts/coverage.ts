import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runMain } from "./main.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TESTS = join("test", "contracts");
/** Tests elsewhere that make contracts do what only they reach. */
const BESIDE = [join("test", "chain", "rules.test.ts")];
/** Tests of gas, code size and the build, which counters in the code change, and those that build contracts of their own. */
const LEFT_OUT = /^(gas|deviceGas|build|mutation|proofs)\.test\.ts$/;
/** Least share of lines and of statements, in percent. */
const LEAST = 98;
/** Campaigns of invariants reach what they reach early. */
const SHORT = { MEDSEAL_CALLS: "1000", MEDSEAL_STEPS: "500", MEDSEAL_INVARIANT_RUNS: "2" };

const TOTAL = /^║ Total\s+│\s+([\d.]+)\s+│\s+([\d.]+)\s+│/m;

/** Runs the contract tests on contracts that count what is executed, prints the share of each file, and judges the total. */
await runMain(async () => {
  const own = readdirSync(join(ROOT, TESTS))
    .filter((name) => name.endsWith(".t.sol") || (name.endsWith(".test.ts") && !LEFT_OUT.test(name)))
    .map((name) => join(TESTS, name));
  const config = join("tools", "coverage.config.ts");
  const { code, text } = await hardhat("--config", config, "--coverage", "--no-typechain", "test", ...own, ...BESIDE);
  const [, lines, statements] = TOTAL.exec(text) ?? [];
  const reached = Number(lines) >= LEAST && Number(statements) >= LEAST;
  console.log(
    `lines ${lines ?? "?"} %, statements ${statements ?? "?"} %: ${reached ? "PASS" : "FAIL"} (at least ${LEAST} %)`,
  );
  if (code !== 0) console.log("some tests failed");
  process.exitCode = reached && code === 0 ? 0 : 1;
});

function hardhat(...args: string[]): Promise<{ code: number; text: string }> {
  const cli = join(ROOT, "node_modules", "hardhat", "dist", "src", "cli.js");
  const env = { HARDHAT_DISABLE_TELEMETRY: "true", ...SHORT, ...process.env };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      text += String(chunk);
    });
    child.on("error", reject).on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}
