import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CheckBatch } from "../../src/archive/batches.ts";
import type { LookAtBlocks } from "../../src/auditor/checks.ts";
import { Crew } from "../../src/auditor/crew.ts";
import { Notes, resumedCheck, resumedLook } from "../../src/auditor/notes.ts";
import { now } from "../../src/bytes/random.ts";
import { UsageError } from "../../src/errors.ts";
import type { BlockFiles } from "../../src/ipfs/block-files.ts";
import type { Call, OptionSpec } from "./command.ts";

/** How a verification goes about it. */
export const VERIFYING: Readonly<Record<string, OptionSpec>> = {
  blocks: {
    type: "string",
    value: "FOLDER",
    help: "read block files from here, the blocks folder of an embedded node or a copy of it; twenty times as fast as asking a node",
  },
  workers: { type: "string", value: "N", help: "threads that check block files; 1 for none beside this one" },
  anew: { type: "boolean", help: "do not go on where an interrupted run of the last day stopped" },
};

const MOST_WORKERS = 32;
/** More wait for the disk. */
const USUAL_WORKERS = 4;

export interface Verifier {
  readonly look?: LookAtBlocks;
  readonly check?: CheckBatch;
  /** Blocks and batches that an interrupted run had checked, and that were not looked at again. */
  readonly resumed: () => number;
}

/**
 * What checks blocks and batches, for as long as `work` takes: block files in several threads, going on where an interrupted run stopped.
 *
 * @param files - Undefined where a node is asked for blocks: nothing then says whether one changed since, so all are looked at again.
 * @param folder - Where notes for an interruption go.
 * @param subject - What is verified; each has notes of its own.
 */
export async function withVerifier<T>(
  call: Call,
  files: BlockFiles | undefined,
  { folder, subject }: { readonly folder: string; readonly subject: readonly unknown[] },
  work: (verifier: Verifier) => Promise<T>,
): Promise<T> {
  const count = workersOf(call);
  if (!files) return work({ resumed: () => 0 });
  const name = createHash("sha256")
    .update(JSON.stringify([files.folder, ...subject]))
    .digest("hex");
  const file = join(folder, "verified", name.slice(0, 32));
  const notes = new Notes(file, now(), { anew: call.flag("anew") });
  const crew = new Crew(files, count);
  try {
    const done = await work({
      look: resumedLook(crew.look, notes, files),
      check: resumedCheck(crew.checkBatch, notes, files),
      resumed: () => notes.resumed,
    });
    notes.end();
    return done;
  } finally {
    // After an outage, too, the next run goes on from here.
    notes.save();
    await crew.close();
  }
}

function workersOf(call: Call): number {
  const named = call.text("workers");
  if (named === undefined) return Math.min(USUAL_WORKERS, availableParallelism());
  const count = /^\d{1,2}$/.test(named) ? Number(named) : 0;
  if (count < 1 || count > MOST_WORKERS) throw new UsageError(`--workers is not 1 to ${MOST_WORKERS}`);
  return count;
}
