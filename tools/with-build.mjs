#!/usr/bin/env node
// `node tools/with-build.mjs SCRIPT ARGUMENTS…`: brings contracts and types up to date, then runs a TypeScript script. Talk goes to stderr.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...args] = process.argv.slice(2);
const built = spawnSync(process.execPath, [join(root, "tools", "build.mjs")], { cwd: root, stdio: ["ignore", 2, 2] });
if (built.status !== 0) process.exit(built.status ?? 1);
const { status, signal } = spawnSync(process.execPath, [join(root, script), ...args], { stdio: "inherit" });
process.exit(status ?? (signal ? 130 : 1));
