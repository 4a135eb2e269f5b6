#!/usr/bin/env node
// `npm run lint`: formatting, types, lint of TypeScript and Solidity. Every check runs, and is named with how it ended.
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checks = {
  "formatting (prettier)": ["prettier", "--check", "--log-level", "warn", "."],
  "types (tsc)": ["tsc", "--noEmit"],
  "lint of TypeScript (eslint)": ["eslint", "."],
  "lint of Solidity (solhint)": ["solhint", "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
};

/** Side by side; what each says is shown in one piece. */
const run = ([name, [command, ...args]]) =>
  new Promise((done) => {
    const child = spawn(command, args, { cwd: root, shell: process.platform === "win32" });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(chunk));
    child.on("error", (error) => said.push(`${error.message}\n`));
    child.on("close", (code) => {
      for (const chunk of said) process.stdout.write(chunk);
      console.log(`${code === 0 ? "ok    " : "FAILED"} ${name}`);
      done(code);
    });
  });
const codes = await Promise.all(Object.entries(checks).map(run));
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
