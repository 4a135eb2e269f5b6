// not committed: node scripts/dev-load.ts SECONDS [RATE] [prof]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { streamLoad } from "./bench/live-load.ts";
import { FsyncFloor } from "./bench/fsync-floor.ts";
import { loadavg } from "node:os";
const w = JSON.parse(readFileSync("/tmp/h4dev/world.json", "utf8"));
const [seconds = "15", rate = "1000", prof] = process.argv.slice(2);
const child = spawn("taskset", ["-c", "0,1", process.execPath, ...(prof ? ["--cpu-prof", "--cpu-prof-dir=/tmp/h4dev/prof"] : []), "scripts/cli.ts", "gateway", "run", "--config", w.config, "--as", "Gateway", "--json"], { env: { ...process.env, ...w.env }, stdio: ["ignore", "pipe", "pipe"] });
let err = ""; child.stderr.on("data", (d) => (err += d));
const out: string = await new Promise((d, f) => { child.stdout.once("data", (x) => d(String(x))); child.once("close", (c) => f(new Error("ended " + c + err))); });
const { feed, http } = JSON.parse(out);
const nums = async () => { const t = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text(); return new Map(t.split("\n").filter((l) => /^\w+ /.test(l)).map((l) => l.split(" ") as [string, string])); };
const STREAMS = [["8867-4", "/min"],["59408-5", "%"],["9279-1", "/min"],["8480-6", "mm[Hg]"],["8462-4", "mm[Hg]"]] as const;
const load = { port: feed, credential: w.credential, devices: Array.from({ length: 10 }, (_, i) => `monitor-${i}`), channels: STREAMS as never, messagesPerSecond: Number(rate) };
try {
  await streamLoad({ ...load, seconds: 3 });
  const floor = new FsyncFloor(w.folder);
  const a = await nums(), cpu0 = process.cpuUsage();
  const r = await streamLoad({ ...load, seconds: Number(seconds) });
  const b = await nums();
  const f = await floor.stop();
  const sp = (v: readonly number[]) => { const s = v.toSorted((x, y) => x - y); const q = (p: number) => (s[Math.min(s.length - 1, Math.floor(p * s.length))] ?? NaN).toFixed(2); return `p50 ${q(.5)} p90 ${q(.9)} p99 ${q(.99)} p99.9 ${q(.999)} max ${q(1)}`; };
  const dif = (n: string) => Number(b.get(n)) - Number(a.get(n));
  console.log("stored", sp(r.milliseconds), "other", r.other, "n", r.milliseconds.length);
  console.log("fsync ", sp(f), "n", f.length);
  console.log("commits", dif("medseal_journal_commits_total"), "s", dif("medseal_journal_commit_seconds_total").toFixed(2), "sealed", dif("medseal_batches_sealed_total"), "ckpt", dif("medseal_checkpoints_decided"), "load", loadavg()[0], "client cpu", process.cpuUsage(cpu0).user / 1e6);
} catch (e) { console.error(e, err.slice(-3000)); }
child.kill("SIGTERM"); 
await new Promise((d) => child.once("close", d));
console.log(err.split("\n").filter((l) => /warn|error/.test(l)).slice(0, 5).join("\n"));
