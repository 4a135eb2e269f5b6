#!/usr/bin/env node
// `npm run lint`: formatting, types, lint of TypeScript and Solidity. Every check runs, then the failed ones are named.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const checks = {
  "formatting (prettier)": ["prettier", "--check", "--log-level", "warn", "."],
  "types (tsc)": ["tsc", "--noEmit"],
  "lint of TypeScript (eslint)": ["eslint", "."],
  "lint of Solidity (solhint)": ["solhint", "--disc", "--max-warnings", "0", "contracts/**/*.sol"],
};

const failed = Object.entries(checks).filter(([name, [command, ...args]]) => {
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}`);
  return status !== 0;
});
process.exitCode = failed.length > 0 ? 1 : 0;
