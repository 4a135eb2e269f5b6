import { Archive } from "../../src/archive/archive.ts";
import type { ReadBlock } from "../../src/archive/checkpoints.ts";
import { Crew } from "../../src/auditor/crew.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import type { GenerationKeys } from "../../src/envelope/payload.ts";
import type { Access } from "../../src/grantee/access.ts";
import type { ReaderDeps } from "../../src/grantee/read.ts";
import { BlockFiles } from "../../src/ipfs/block-files.ts";
import type { CheckpointPlace } from "../../src/log/checkpoint.ts";
import { hashRate } from "./hash-bound.ts";

/** What a verifier is given: block files, what the chain says, and with `keys` a read grant. */
export interface Task {
  readonly folder: string;
  readonly place: CheckpointPlace;
  readonly history: readonly AnchoredCheckpoint[];
  readonly keys: GenerationKeys | undefined;
}

/** What one round of one process measured. */
export interface Round {
  readonly seconds: number;
  /** Readings with keys, blocks without. */
  readonly verified: number;
  /** Two hashes a reading, before and after: readings a second. */
  readonly bound: readonly [number, number];
  readonly boundBy: string;
  readonly peakRssMiB: number;
}

async function work(task: Task): Promise<Round> {
  const rate = await hashRate();
  const before = rate.perSecond() / 2;
  const start = performance.now();
  const verified = await verify(task);
  const seconds = (performance.now() - start) / 1000;
  const peakRssMiB = process.resourceUsage().maxRSS / 1024;
  return { seconds, verified, bound: [before, rate.perSecond() / 2], boundBy: rate.by, peakRssMiB };
}

/** In one thread, as `medseal verify --workers 1` does once the chain has answered. */
async function verify({ folder, place, history, keys }: Task): Promise<number> {
  const files = new BlockFiles(folder);
  const crew = new Crew(files, 1);
  const read: ReadBlock = async (digest) => Promise.resolve(files.read(digest));
  if (!keys) {
    const { ok, objects } = await verifyArchive(place, history, read, { look: crew.look });
    return counted(ok, objects);
  }
  const archive = new Archive(place, read);
  await archive.update(history);
  const { dataStart: from, dataEnd: to, purpose } = keys.write.consent;
  const watch = { intervals: () => [{ from: 0 }] };
  const deps = { archiveOf: () => archive, read, watch } as unknown as ReaderDeps;
  const request = { stream: keys.stream.id, from, to, purpose };
  const options = { check: crew.checkBatch };
  const { ok, readings } = await verifyWindow({ keys: [keys] } as unknown as Access, request, deps, undefined, options);
  return counted(ok, readings);
}

function counted(ok: boolean, count: number): number {
  if (!ok) throw new Error("a clean archive was found wrong");
  return count;
}

process.once("message", (task: Task) => {
  void work(task).then((round) => process.send?.(round, () => process.disconnect()));
});
