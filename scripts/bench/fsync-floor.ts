import { fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parentPort, Worker, workerData } from "node:worker_threads";

/** Milliseconds between two writes of the probe, and the bytes of each: about a commit of a journal. */
const EVERY = 25;
const BYTES = 8192;

/** Writes and syncs a file of its own while something else is measured: what the disk itself takes. */
export class FsyncFloor {
  readonly #worker: Worker;

  /** @param folder - On the disk in question. */
  constructor(folder: string) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { file: join(folder, "fsync-floor") } });
  }

  /** @returns milliseconds of each write with its fdatasync. */
  async stop(): Promise<number[]> {
    const told = new Promise<number[]>((done) => this.#worker.once("message", done));
    this.#worker.postMessage("stop");
    const times = await told;
    await this.#worker.terminate();
    return times;
  }
}

function probe(port: NonNullable<typeof parentPort>, file: string): void {
  const handle = openSync(file, "w", 0o600);
  const bytes = Buffer.alloc(BYTES, 7);
  const times: number[] = [];
  const timer = setInterval(() => {
    const began = performance.now();
    writeSync(handle, bytes);
    fdatasyncSync(handle);
    times.push(performance.now() - began);
  }, EVERY);
  port.once("message", () => {
    clearInterval(timer);
    rmSync(file);
    port.postMessage(times);
  });
}

if (parentPort && workerData) probe(parentPort, (workerData as { file: string }).file);
