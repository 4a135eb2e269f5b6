import { Worker } from "node:worker_threads";
import type { MadeChunk } from "../log/batch.ts";

/** Asks for what `makeChunk` gives. */
export interface ChunkTask {
  readonly plain: Uint8Array;
  readonly base: number;
}

interface Thread {
  readonly worker: Worker;
  /** Tasks that it has not answered yet, in the order they were given. */
  readonly waiting: { readonly resolve: (made: MadeChunk) => void; readonly reject: (error: unknown) => void }[];
}

/** A thread holds a few chunks and makes no long-lived objects. */
const LIMITS = { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 };

/**
 * Worker threads of this process that hash and compress chunks. They get readings and the seeds of salts, and no key; they begin with the
 * first task and do not keep the process alive. What comes out does not depend on how many there are.
 */
export class ChunkThreads {
  readonly #count: number;
  #threads: Thread[] = [];

  /** @param count - At least 1. */
  constructor(count: number) {
    if (!Number.isInteger(count) || count < 1) throw new RangeError("threads are counted from 1");
    this.#count = count;
  }

  /** How many chunks are to be cut ahead, so that no thread waits. */
  get ahead(): number {
    return 2 * this.#count;
  }

  /** @throws the error of the thread, when that ends. */
  make(task: ChunkTask): Promise<MadeChunk> {
    const thread = this.#freest();
    const made = new Promise<MadeChunk>((resolve, reject) => thread.waiting.push({ resolve, reject }));
    // Who asked may look at it later.
    made.catch(() => undefined);
    thread.worker.postMessage(task);
    return made;
  }

  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #freest(): Thread {
    const free = this.#threads.find(({ waiting }) => waiting.length === 0);
    if (free) return free;
    if (this.#threads.length < this.#count) this.#threads.push(this.#begin());
    return this.#threads.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
  }

  #begin(): Thread {
    const worker = new Worker(new URL("chunk-thread.ts", import.meta.url), { resourceLimits: LIMITS });
    const thread: Thread = { worker, waiting: [] };
    worker.unref();
    worker.on("message", (made: MadeChunk) => thread.waiting.shift()?.resolve(made));
    const fail = (error: unknown): void => {
      this.#threads = this.#threads.filter((other) => other !== thread);
      for (const { reject } of thread.waiting.splice(0)) reject(error);
    };
    worker.on("error", fail);
    worker.on("exit", (code) => fail(new Error(`a worker thread ended with ${code}`)));
    return thread;
  }
}
