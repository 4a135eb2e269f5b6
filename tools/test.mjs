#!/usr/bin/env node
// `npm test`: builds the contracts when they changed, then runs the Solidity tests and all TypeScript tests.
// Arguments are test files; without any, everything runs. Ends with a line `N passed, N failed`.
import { Buffer } from "node:buffer";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const hardhat = join(root, "node_modules", "hardhat", "dist", "src", "cli.js");
const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" };

/** Runs a command with its output shown as it comes; gives its exit code and what mocha and Hardhat counted. */
const run = (...args) => start(args, (chunk) => process.stdout.write(chunk));

/** The same beside another one, with its output shown when it has ended. */
async function runBeside(...args) {
  const chunks = [];
  const result = await start(args, (chunk) => chunks.push(chunk));
  return { ...result, show: () => process.stdout.write(Buffer.concat(chunks)) };
}

function start(args, show) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => {
      show(chunk);
      text += chunk;
    });
    child.on("close", (code) => resolve({ code: code ?? 1, counts: count(text), failures: failuresIn(text) }));
  });
}

/** As in hardhat.config.ts, in milliseconds: what is slow on a small machine has not failed. */
const LONGEST = "120000";

/** Folders of tests that start no chain of Hardhat. */
const PLAIN = ["unit", "cli"];

const nothing = { code: 0, counts: count(""), failures: "", show: () => undefined };

/** What mocha and Hardhat tell of failed tests, at the end of their output. */
function failuresIn(text) {
  const at = text.search(/^\s*\d+ failing/m);
  return at < 0 ? "" : text.slice(at).trimEnd();
}

function count(text) {
  const sum = (word) =>
    [...text.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, "gm"))].reduce((all, match) => all + Number(match[1]), 0);
  return { passed: sum("passing"), failed: sum("failing"), skipped: sum("(?:pending|skipped)") };
}

const built = spawnSync(process.execPath, [join(root, "tools", "build.mjs")], { cwd: root, stdio: ["ignore", 2, 2] });
if (built.status !== 0) process.exit(built.status ?? 1);

// Hardhat takes every TypeScript file below test/ for a test; only those named so are.
const all = readdirSync(join(root, "test"), { recursive: true })
  .filter((file) => file.endsWith(".test.ts"))
  .sort();
const named = process.argv.slice(2);
const files = named.length > 0 ? named : all.map((file) => join("test", file));
// Lanes beside each other: what needs Hardhat, with its output as it comes; plain mocha over the units, and over the command line, whose tests
// mostly wait for processes of their own. The last two are shown when they have ended.
const laneOf = (file) => PLAIN.find((folder) => file.startsWith(join("test", folder)));
const lane = (folder) => files.filter((file) => laneOf(file) === folder);
const mochaFile = join(root, "node_modules", "mocha", "bin", "mocha.js");
const beside = PLAIN.map(lane).map((some) =>
  some.length > 0 ? runBeside(mochaFile, "--timeout", LONGEST, ...some) : nothing,
);
const solidity = named.length === 0 ? await run(hardhat, "test", "solidity", "--no-compile") : nothing;
const onHardhat = lane(undefined);
const mocha = onHardhat.length > 0 ? await run(hardhat, "test", "mocha", "--no-compile", ...onHardhat) : nothing;
const others = await Promise.all(beside);
for (const other of others) other.show();

const runs = [solidity, mocha, ...others];
const total = (key) => runs.reduce((sum, { counts }) => sum + counts[key], 0);
// A runner that fails without naming a test has failed all the same.
const failed = Math.max(total("failed"), runs.every(({ code }) => code === 0) ? 0 : 1);
// Once more at the very end, where somebody looks first: a log this long is cut in the middle.
for (const { failures } of runs) if (failures !== "") console.log(failures);
const skipped = total("skipped");
if (skipped > 0) console.log(`${skipped} left out; each says above why`);
console.log(`${total("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || total("passed") === 0 ? 1 : 0;
