import { parentPort, workerData } from "node:worker_threads";
import { checkBatch, type BatchTask } from "../archive/batches.ts";
import { EXIT, MedSealError } from "../errors.ts";
import { BlockFiles } from "../ipfs/block-files.ts";
import { DIGEST_SIZE } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { lookAt } from "./checks.ts";

/** What a worker is asked: blocks as digests one behind the other, or a batch. */
export type Question = { readonly blocks: Uint8Array } | { readonly batch: BatchTask };

/** An error in the form in which it goes from thread to thread. */
export type Told =
  | { readonly kind: "missing"; readonly cid: string }
  | {
      readonly kind: "altered";
      readonly cid: string;
      readonly found: number | undefined;
      readonly foundDigest: Uint8Array | undefined;
    }
  | { readonly kind: "refused" | "unavailable" | "failed"; readonly message: string };

/** Of blocks the size of each, or what is wrong with it; of a batch nothing when it is right. */
export type Answer =
  { readonly blocks: readonly (number | Told)[] } | { readonly batch: true } | { readonly error: Told };

export interface Numbered<T> {
  readonly number: number;
  readonly it: T;
}

const files = new BlockFiles(workerData as string);

parentPort?.on("message", ({ number, it }: Numbered<Question>) => {
  parentPort?.postMessage({ number, it: answer(it) } satisfies Numbered<Answer>);
});

function answer(question: Question): Answer {
  try {
    if ("batch" in question) {
      checkBatch(files.look(question.batch.digest), question.batch);
      return { batch: true };
    }
    const { blocks } = question;
    const sizes = Array.from({ length: blocks.length / DIGEST_SIZE }, (_, i): number | Told => {
      const outcome = lookAt(files, blocks.subarray(DIGEST_SIZE * i, DIGEST_SIZE * (i + 1)));
      return typeof outcome === "number" ? outcome : told(outcome);
    });
    return { blocks: sizes };
  } catch (error) {
    return { error: told(error) };
  }
}

function told(error: unknown): Told {
  if (error instanceof BlockMissingError) return { kind: "missing", cid: error.cid };
  if (error instanceof BlockAlteredError) {
    const { cid, found, foundDigest } = error;
    return { kind: "altered", cid, found, foundDigest };
  }
  if (!(error instanceof MedSealError)) return { kind: "failed", message: String(error) };
  return { kind: error.exit === EXIT.refused ? "refused" : "unavailable", message: error.message };
}
