import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { killMonitors, type KillsReport } from "./alert-kills.ts";

interface Task {
  readonly kills: number;
  readonly seed: number;
}

/** `killMonitors` in a thread of its own: that another one computes does not put off the kills. */
export function killInThread(kills: number, seed: number): Promise<KillsReport> {
  const task: Task = { kills, seed };
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  return new Promise((done, failed) => worker.once("message", done).once("error", failed));
}

if (!isMainThread) {
  const { kills, seed } = workerData as Task;
  parentPort?.postMessage(await killMonitors(kills, seed));
}
