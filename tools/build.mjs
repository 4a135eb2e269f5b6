#!/usr/bin/env node
// Compiles the contracts and their types when anything they are made of has changed; all talk goes to stderr.
// Whether they are current is told by content, not by time stamps, so an unchanged tree costs a few milliseconds.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const plugins = ["tools/typechain-order.ts", "tools/quiet-dependencies.ts"];
const sources = ["contracts", "test/contracts", "hardhat.config.ts", "package-lock.json", ...plugins];
const results = ["typechain-types", "artifacts/contracts"];
const cache = join(root, "cache");
const stamp = join(cache, "build-stamp");
const lock = join(cache, "build-lock");

function filesOf(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  try {
    const names = readdirSync(full, { recursive: true, withFileTypes: true });
    return names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  } catch (error) {
    if (error.code === "ENOTDIR") return [full];
    throw error;
  }
}

function digestOf(paths, wanted) {
  const hash = createHash("sha256").update(process.version);
  for (const file of paths.flatMap(filesOf).filter(wanted).sort()) {
    const content = readFileSync(file);
    hash.update(`${file.slice(root.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

const sourceDigest = () => digestOf(sources, (file) => !file.endsWith(".test.ts"));
const resultDigest = () => digestOf(results, () => true);
const isCurrent = () => existsSync(stamp) && readFileSync(stamp, "utf8") === `${sourceDigest()} ${resultDigest()}`;

function build() {
  const before = sourceDigest();
  const cli = join(root, "node_modules", "hardhat", "dist", "src", "cli.js");
  const options = { cwd: root, stdio: ["ignore", 2, 2], env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" } };
  const { status } = spawnSync(process.execPath, [cli, "build"], options);
  if (status !== 0) return status ?? 1;
  writeFileSync(stamp, `${before} ${resultDigest()}`);
  return 0;
}

/** Holds the lock for this process, or waits for the one that holds it; a lock whose owner is gone is taken over. */
function acquire() {
  const mine = `${lock}-${process.pid}`;
  for (;;) {
    // A link appears together with its content, so that nobody reads a lock without an owner.
    writeFileSync(mine, String(process.pid));
    try {
      linkSync(mine, lock);
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    } finally {
      rmSync(mine);
    }
    if (!ownerLives()) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function ownerLives() {
  try {
    process.kill(Number(readFileSync(lock, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

if (!isCurrent()) {
  mkdirSync(cache, { recursive: true });
  acquire();
  try {
    process.exitCode = isCurrent() ? 0 : build();
  } finally {
    rmSync(lock, { force: true });
  }
}
