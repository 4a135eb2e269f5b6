import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { compareEvaluators } from "./alert-evaluators.ts";
import { killMonitors } from "./alert-kills.ts";

/** Parts of the campaign that run beside the others: what is computed elsewhere does not put off a kill. */
const PARTS = { compare: compareEvaluators, kill: killMonitors } as const;

type Part = keyof typeof PARTS;
type Report<P extends Part> = Awaited<ReturnType<(typeof PARTS)[P]>>;

/** @param count - Of cases, or of kills. */
export function inThread<P extends Part>(part: P, count: number, seed: number): Promise<Report<P>> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { part, count, seed } });
  return new Promise((done, failed) => worker.once("message", done).once("error", failed));
}

if (!isMainThread) {
  const { part, count, seed } = workerData as { part: Part; count: number; seed: number };
  parentPort?.postMessage(await PARTS[part](count, seed));
}
