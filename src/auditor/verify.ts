import { hex } from "../bytes/bytes.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { MalformedError } from "../errors.ts";
import { cidOf } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { parallel } from "../ipfs/parallel.ts";
import { BATCH_CLASSES } from "../log/batch.ts";
import {
  decodeCheckpoint,
  SHORTEST_CHECKPOINT,
  SHORTEST_PAGE,
  type Checkpoint,
  type CheckpointPlace,
} from "../log/checkpoint.ts";
import { MismatchError } from "../log/errors.ts";
import { HEADER_SIZE } from "../log/header.ts";
import { ENVELOPE_CLASS } from "../envelope/envelope.ts";
import { FIRST, linkAfter, readCheckpoint, type Link, type ReadBlock } from "../archive/checkpoints.ts";
import type { Finding, FindingKind, ObjectKind } from "./findings.ts";

export interface AuditReport {
  /** No findings. */
  readonly ok: boolean;
  readonly checkpoints: number;
  /** Blocks looked at: checkpoints, pages, headers, batches, envelopes; each once. */
  readonly objects: number;
  /** Blocks that are gone and were declared erased. */
  readonly erased: number;
  readonly findings: readonly Finding[];
}

export interface AuditOptions {
  /** Blocks asked for at a time. */
  readonly concurrency?: number;
  /** Called after every block with the number looked at. */
  readonly progress?: (objects: number) => void;
}

const SHORTEST: Record<ObjectKind, number> = {
  checkpoint: SHORTEST_CHECKPOINT,
  page: SHORTEST_PAGE,
  header: HEADER_SIZE,
  batch: BATCH_CLASSES[0],
  envelope: ENVELOPE_CLASS,
};

/** Whether a block of this kind may have so many bytes; of checkpoints and pages their format says it. */
const SIZES: Record<ObjectKind, (size: number) => boolean> = {
  checkpoint: () => true,
  page: () => true,
  header: (size) => size === HEADER_SIZE,
  batch: (size) => BATCH_CLASSES.some((one) => one === size),
  envelope: (size) => size > 0 && size % ENVELOPE_CLASS === 0,
};

/**
 * Checks without a key that nothing a gateway anchored was altered or removed since: every checkpoint against its anchor and predecessor,
 * every block against its digest. What was left out before anchoring it cannot see.
 *
 * @param history - From `anchoredCheckpoints`, which has checked it against the rolling head on chain.
 *
 * @throws StoreUnavailableError, ChainUnavailableError: an outage is no finding and no verdict.
 */
export async function verifyArchive(
  place: CheckpointPlace,
  history: readonly AnchoredCheckpoint[],
  read: ReadBlock,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const findings: Finding[] = [];
  const damaged: ListedBlock[] = [];
  const checkpoints: { checkpoint: Checkpoint; link: Link }[] = [];
  const seen = new Set<string>();
  const progress = options.progress ?? (() => undefined);
  const audited: ReadBlock = (digest) => {
    seen.add(hex(digest));
    return read(digest);
  };

  let link = FIRST;
  for (const anchored of history) {
    try {
      checkpoints.push({ checkpoint: await readCheckpoint(anchored, link, place, audited), link });
    } catch (error) {
      if (isDamage(error)) damaged.push(...(await damagedBlocks(error, anchored, link, read)));
      else findings.push(checkpointFinding(error, anchored, link));
    }
    progress(seen.size);
    link = linkAfter(link, anchored);
  }

  const blocks = [...damaged, ...listBlocks(checkpoints, findings)];
  const erasedDigests = new Set(checkpoints.flatMap(({ checkpoint }) => checkpoint.erased.map(hex)));
  const known = new Set([...blocks, ...history].map(({ digest }) => hex(digest)));
  let erased = 0;
  await parallel(blocks, options.concurrency ?? 8, async (block) => {
    try {
      if (block.error) throw block.error;
      const { length } = await audited(block.digest);
      if (!SIZES[block.object](length)) findings.push(sizeFinding(block, length));
    } catch (error) {
      if (error instanceof BlockMissingError && mayBeErased(block) && erasedDigests.has(hex(block.digest))) erased += 1;
      else findings.push(blockFinding(error, block, known, checkpoints.length === history.length));
    }
    progress(seen.size);
  });
  findings.sort((a, b) => a.checkpoint - b.checkpoint);
  return { ok: findings.length === 0, checkpoints: checkpoints.length, objects: seen.size, erased, findings };
}

interface ListedBlock {
  readonly digest: Uint8Array;
  readonly object: ObjectKind;
  readonly checkpoint: number;
  /** What reading it came to already. */
  readonly error?: DamagedError;
}

type DamagedError = BlockMissingError | BlockAlteredError;

const isDamage = (error: unknown): error is DamagedError =>
  error instanceof BlockMissingError || error instanceof BlockAlteredError;

/** What says which blocks there are is never erased: else a gateway could hide the rest by listing it. */
const mayBeErased = ({ object }: ListedBlock): boolean => object !== "checkpoint" && object !== "page";

/** The block on which reading a checkpoint ended: its own, or one of its pages, all of which are then to be looked at. */
async function damagedBlocks(
  error: DamagedError,
  { digest }: AnchoredCheckpoint,
  { index: checkpoint }: Link,
  read: ReadBlock,
): Promise<ListedBlock[]> {
  if (error.cid === cidOf(digest)) return [{ digest, object: "checkpoint", checkpoint, error }];
  const { pages } = decodeCheckpoint(await read(digest));
  return pages.map((page) => ({
    digest: page,
    object: "page",
    checkpoint,
    ...(error.cid === cidOf(page) ? { error } : {}),
  }));
}

/** Every block that the checkpoints name, each once; notes tags that come twice. */
function listBlocks(
  checkpoints: readonly { checkpoint: Checkpoint; link: Link }[],
  findings: Finding[],
): ListedBlock[] {
  const blocks = new Map<string, ListedBlock>();
  const tags = new Set<string>();
  const add = (digest: Uint8Array, object: ObjectKind, checkpoint: number): void => {
    const key = hex(digest);
    if (!blocks.has(key)) blocks.set(key, { digest, object, checkpoint });
  };
  for (const { checkpoint, link } of checkpoints) {
    for (const { tag, header, batch } of checkpoint.entries) {
      if (tags.has(hex(tag))) {
        findings.push({
          kind: "duplicate-tag",
          object: "header",
          cid: cidOf(header),
          checkpoint: link.index,
          text: `checkpoint ${link.index} lists a batch under a tag that an earlier one used`,
        });
      }
      tags.add(hex(tag));
      add(header, "header", link.index);
      add(batch, "batch", link.index);
    }
    for (const { envelope } of checkpoint.mail) add(envelope, "envelope", link.index);
  }
  return [...blocks.values()];
}

/** @throws the error itself when it says nothing of the checkpoint. */
export function checkpointFinding(
  error: unknown,
  { digest }: AnchoredCheckpoint,
  { index }: Pick<Link, "index">,
): Finding {
  if (!(error instanceof MismatchError || error instanceof MalformedError)) throw error;
  const kind = error instanceof MismatchError ? "mismatch" : "malformed";
  return { kind, object: "checkpoint", cid: cidOf(digest), checkpoint: index, text: error.message };
}

function sizeFinding({ digest, object, checkpoint }: ListedBlock, size: number): Finding {
  const cid = cidOf(digest);
  const text = `${object} ${cid} of checkpoint ${checkpoint} has ${size} bytes, which no ${object} has`;
  return { kind: "malformed", object, cid, checkpoint, text };
}

/**
 * What is wrong with a block, from what reading it came to.
 *
 * @param allRead - Whether every checkpoint was read: one that was not may have declared the block erased.
 * @throws the error itself when it says nothing of the block, an outage for one.
 */
export function blockFinding(
  error: unknown,
  { digest, object, checkpoint }: Pick<ListedBlock, "digest" | "object" | "checkpoint">,
  known: ReadonlySet<string>,
  allRead = true,
): Finding {
  const cid = cidOf(digest);
  const say = (kind: FindingKind, what: string): Finding => ({
    kind,
    object,
    cid,
    checkpoint,
    text: `${object} ${cid} of checkpoint ${checkpoint} ${what}`,
  });
  const declared = allRead ? "was not declared erased" : "no checkpoint that can be read declared it erased";
  if (error instanceof BlockMissingError) return say("missing", `is missing and ${declared}`);
  if (!(error instanceof BlockAlteredError)) throw error;
  if (error.foundDigest && known.has(hex(error.foundDigest)))
    return say("swapped", "has the bytes of another anchored block");
  if (error.found !== undefined && error.found < SHORTEST[object])
    return say("truncated", `was cut to ${error.found} bytes`);
  return say("altered", "was altered");
}
