#!/usr/bin/env node
// `npm test`: builds the contracts when they changed, then runs the Solidity tests and all TypeScript tests.
// Arguments are test files; without any, everything runs. Ends with a line `N passed, N failed`.
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const hardhat = join(root, "node_modules", "hardhat", "dist", "src", "cli.js");
const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" };

/** Output of several commands at once, the one behind the other: that of the first which has not ended is shown as it comes. */
const held = [];
function screen() {
  const own = { chunks: [], ended: false };
  held.push(own);
  const show = () => {
    for (; held.length > 0; held.shift()) {
      for (const chunk of held[0].chunks.splice(0)) process.stdout.write(chunk);
      if (!held[0].ended) return;
    }
  };
  return {
    write: (chunk) => (own.chunks.push(chunk), show()),
    end: () => ((own.ended = true), show()),
  };
}

/** Runs a command; gives its exit code, and what mocha and Hardhat counted. */
function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    const { write, end } = screen();
    let text = "";
    child.stdout.on("data", (chunk) => {
      write(chunk);
      text += chunk;
    });
    child.on("close", (code) => {
      end();
      resolve({ code: code ?? 1, counts: count(text), failures: failuresIn(text) });
    });
  });
}

/** As in hardhat.config.ts, in milliseconds: what is slow on a small machine has not failed. */
const LONGEST = "300000";

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
const mocha = [join(root, "node_modules", "mocha", "bin", "mocha.js"), "--timeout", LONGEST];
const onHardhat = [hardhat, "test", "mocha", "--no-compile"];
/** What runs which files, each in the first lane that fits it; those that take longest come first. */
const LANES = [
  // Most of their commands are processes of their own.
  [mocha, /^test.cli.(alert-states|canary|crash|readme|together)\./],
  [mocha, /^test.cli./],
  [onHardhat, /^test.integration./],
  [onHardhat, /^test.contracts./],
  [mocha, /^test.unit./],
  [onHardhat, /^/],
];
const laneOf = (file) => LANES.findIndex(([, fits]) => fits.test(file));
const commands = LANES.map(([runner], lane) => [runner, files.filter((file) => laneOf(file) === lane)])
  .filter(([, some]) => some.length > 0)
  .map(([runner, some]) => [...runner, ...some]);
if (named.length === 0) commands.push([hardhat, "test", "solidity", "--no-compile"]);

const runs = [];
/** Tests of the command line mostly wait: on two cores a third lane does not slow the others down. */
const atOnce = Math.max(3, availableParallelism());
async function work() {
  for (let command = commands.shift(); command !== undefined; command = commands.shift()) runs.push(await run(command));
}
await Promise.all(Array.from({ length: atOnce }, work));

const total = (key) => runs.reduce((sum, { counts }) => sum + counts[key], 0);
// A runner that fails without naming a test has failed all the same.
const failed = Math.max(total("failed"), runs.every(({ code }) => code === 0) ? 0 : 1);
// Once more at the very end, where somebody looks first: a log this long is cut in the middle.
for (const { failures } of runs) if (failures !== "") console.log(failures);
const skipped = total("skipped");
if (skipped > 0) console.log(`${skipped} left out; each says above why`);
console.log(`${total("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 || total("passed") === 0 ? 1 : 0;
