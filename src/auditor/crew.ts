import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { checkBatch, type BatchTask, type CheckBatch } from "../archive/batches.ts";
import { concat } from "../bytes/bytes.ts";
import { MedSealError } from "../errors.ts";
import type { BlockFiles } from "../ipfs/block-files.ts";
import { BlockAlteredError, BlockMissingError, StoreUnavailableError } from "../ipfs/errors.ts";
import { inFiles, type LookAtBlocks } from "./checks.ts";
import type { Answer, Numbered, Question, Told } from "./worker.ts";

/** A thread takes about as long to start, in milliseconds: what is done before then is done without any. */
const ALONE = 300;
/** Fewer blocks are looked at sooner than given to threads. */
const FEW = 64;

/** What a thread found wrong with a batch, in the words of its error. */
class BatchWrongError extends MedSealError {
  readonly code = "ERR_BATCH_WRONG";
}

interface Waiting {
  readonly done: (answer: Answer) => void;
  readonly failed: (error: unknown) => void;
}

/** Checks blocks and batches of a folder in several threads. Whatever their number, the answers are the same. */
export class Crew {
  readonly #files: BlockFiles;
  readonly #count: number;
  readonly #alone: number;
  readonly #began = performance.now();
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  /**
   * @param count - Threads; with 1 everything is done in the caller's.
   * @param alone - Milliseconds in which no other thread is started.
   */
  constructor(files: BlockFiles, count: number, alone = ALONE) {
    this.#files = files;
    this.#count = count;
    this.#alone = alone;
  }

  readonly look: LookAtBlocks = async (digests) => {
    if (this.#isAlone() || digests.length < FEW) return inFiles(this.#files)(digests);
    const share = Math.ceil(digests.length / this.#count);
    const shares = Array.from({ length: this.#count }, (_, i) => digests.slice(i * share, (i + 1) * share));
    const answers = await Promise.all(shares.map((some) => this.#ask({ blocks: concat(...some) })));
    return answers.flatMap((answer) =>
      "blocks" in answer ? answer.blocks.map((one) => (typeof one === "number" ? one : damage(one))) : [],
    );
  };

  readonly checkBatch: CheckBatch = async (task: BatchTask) => {
    if (this.#isAlone()) checkBatch(this.#files.look(task.digest), task);
    else await this.#ask({ batch: task });
  };

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #isAlone(): boolean {
    return this.#count <= 1 || performance.now() - this.#began < this.#alone;
  }

  #ask(question: Question): Promise<Answer> {
    const number = this.#asked++;
    const worker = (this.#workers[number % this.#count] ??= this.#start());
    return new Promise((done, failed) => {
      this.#waiting.set(number, { done, failed });
      worker.postMessage({ number, it: question } satisfies Numbered<Question>);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: this.#files.folder });
    worker.on("message", ({ number, it }: Numbered<Answer>) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if ("error" in it) waiting?.failed(thrown(it.error));
      else waiting?.done(it);
    });
    void once(worker, "error").then(([error]) => {
      for (const { failed } of this.#waiting.values()) failed(error);
    });
    return worker;
  }
}

function damage(told: Told): BlockMissingError | BlockAlteredError {
  if (told.kind === "missing") return new BlockMissingError(told.cid);
  if (told.kind !== "altered") throw thrown(told);
  const { cid, found, foundDigest } = told;
  return new BlockAlteredError(cid, found, foundDigest && { foundDigest });
}

function thrown(told: Told): Error {
  switch (told.kind) {
    case "missing":
    case "altered":
      return damage(told);
    case "refused":
      return new BatchWrongError(told.message);
    case "unavailable":
      return new StoreUnavailableError("a block file cannot be read", { cause: told.message });
    case "failed":
      return new Error(told.message);
  }
}
