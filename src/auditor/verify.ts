import { DigestTable } from "../bytes/digest-table.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { MalformedError } from "../errors.ts";
import { cidOf } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { BATCH_CLASSES } from "../log/batch.ts";
import { decodeCheckpoint, SHORTEST_CHECKPOINT, SHORTEST_PAGE, type CheckpointPlace } from "../log/checkpoint.ts";
import { MismatchError } from "../log/errors.ts";
import { HEADER_SIZE } from "../log/header.ts";
import { ENVELOPE_CLASS } from "../envelope/envelope.ts";
import { FIRST, linkAfter, readCheckpoint, type Link, type ReadBlock } from "../archive/checkpoints.ts";
import { byReading, isDamage, type DamagedError, type LookAtBlocks } from "./checks.ts";
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
  /** How blocks are looked at; by `read` without it. */
  readonly look?: LookAtBlocks;
  /** Called now and then with the number of checkpoints of which every block was looked at, and that of blocks. */
  readonly progress?: (checkpoints: number, objects: number) => void;
  /** Unix seconds of anchors, half-open: of the other checkpoints only what links them is looked at. */
  readonly window?: { readonly from: number; readonly to: number };
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
  { look = byReading(read), progress = () => undefined, window }: AuditOptions = {},
): Promise<AuditReport> {
  const ofChain: Finding[] = [];
  const ofBlocks: Finding[] = [];
  const damaged: DamagedBlock[] = [];
  const table = new DigestTable();
  let [objects, readable, erased] = [0, 0, 0];
  const count = (digest: Uint8Array): void => {
    if ((table.mark(digest, LOOKED_AT) & LOOKED_AT) === 0) objects += 1;
  };
  const audited: ReadBlock = (digest) => {
    count(digest);
    return read(digest);
  };

  let waiting: ListedBlock[] = [];
  async function lookAtWaiting(): Promise<void> {
    const blocks = waiting;
    waiting = [];
    const outcomes = await look(blocks.map(({ digest }) => digest));
    for (const [i, block] of blocks.entries()) {
      const outcome = outcomes[i] as number | DamagedError;
      count(block.digest);
      if (typeof outcome !== "number") damaged.push({ block, error: outcome });
      else ofBlocks.push(...sizeFinding(block, outcome));
    }
  }

  let link = FIRST;
  for (const anchored of history) {
    const { index } = link;
    const add = (digest: Uint8Array, object: ObjectKind): void => {
      if ((table.mark(digest, LISTED) & LISTED) === 0 && isInside) waiting.push({ digest, object, checkpoint: index });
    };
    const isInside = window === undefined || (anchored.time >= window.from && anchored.time < window.to);
    try {
      const checkpoint = await readCheckpoint(anchored, link, place, audited);
      readable += 1;
      for (const digest of checkpoint.erased) table.mark(digest, ERASED);
      for (const { tag, header, batch } of checkpoint.entries) {
        if ((table.mark(tag, TAG) & TAG) !== 0) ofChain.push(repeatedTag(header, index));
        add(header, "header");
        add(batch, "batch");
      }
      for (const { envelope } of checkpoint.mail) add(envelope, "envelope");
    } catch (error) {
      if (isDamage(error)) {
        for (const one of await damagedBlocks(error, anchored, link, read)) {
          if ("error" in one) damaged.push(one);
          else waiting.push(one);
        }
      } else ofChain.push(checkpointFinding(error, anchored, link));
    }
    link = linkAfter(link, anchored);
    if (waiting.length >= GROUP) await lookAtWaiting();
    progress(link.index, objects);
  }
  await lookAtWaiting();
  progress(link.index, objects);

  // Only now it is known what was declared erased, and which blocks there are that may lie in another one's place.
  const isKnown = (digest: Uint8Array): boolean => (table.flagsOf(digest) & (LISTED | LOOKED_AT)) !== 0;
  for (const { block, error } of damaged) {
    const isErased = mayBeErased(block) && (table.flagsOf(block.digest) & ERASED) !== 0;
    if (error instanceof BlockMissingError && isErased) erased += 1;
    else ofBlocks.push(blockFinding(error, block, isKnown, readable === history.length));
  }
  const findings = [...ofChain, ...ofBlocks].sort((a, b) => a.checkpoint - b.checkpoint);
  return { ok: findings.length === 0, checkpoints: readable, objects, erased, findings };
}

/** Blocks that are looked at together. */
const GROUP = 4096;
/** What is known of a digest. */
const [LISTED, LOOKED_AT, ERASED, TAG] = [1, 2, 4, 8] as const;

interface ListedBlock {
  readonly digest: Uint8Array;
  readonly object: ObjectKind;
  readonly checkpoint: number;
}

interface DamagedBlock {
  readonly block: ListedBlock;
  readonly error: DamagedError;
}

/** What says which blocks there are is never erased: else a gateway could hide the rest by listing it. */
const mayBeErased = ({ object }: Pick<ListedBlock, "object">): boolean => object !== "checkpoint" && object !== "page";

/** The block on which reading a checkpoint ended: its own, or one of its pages, all of which are then to be looked at. */
async function damagedBlocks(
  error: DamagedError,
  { digest }: AnchoredCheckpoint,
  { index: checkpoint }: Link,
  read: ReadBlock,
): Promise<(ListedBlock | DamagedBlock)[]> {
  if (error.cid === cidOf(digest)) return [{ block: { digest, object: "checkpoint", checkpoint }, error }];
  const { pages } = decodeCheckpoint(await read(digest));
  return pages.map((page) => {
    const block = { digest: page, object: "page" as const, checkpoint };
    return error.cid === cidOf(page) ? { block, error } : block;
  });
}

function repeatedTag(header: Uint8Array, checkpoint: number): Finding {
  const text = `checkpoint ${checkpoint} lists a batch under a tag that an earlier one used`;
  return { kind: "duplicate-tag", object: "header", cid: cidOf(header), checkpoint, text };
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

/** A finding unless a block of this kind may have so many bytes. */
export function sizeFinding({ digest, object, checkpoint }: ListedBlock, size: number): Finding[] {
  if (SIZES[object](size)) return [];
  const cid = cidOf(digest);
  const text = `${object} ${cid} of checkpoint ${checkpoint} has ${size} bytes, which no ${object} has`;
  return [{ kind: "malformed", object, cid, checkpoint, text }];
}

/**
 * What is wrong with a block, from what reading it came to.
 *
 * @param place - Where the block belongs, as far as keys tell.
 * @param isKnown - Whether a block with this digest was anchored.
 * @param allRead - Whether every checkpoint was read: one that was not may have declared the block erased.
 * @throws the error itself when it says nothing of the block, an outage for one.
 */
export function blockFinding(
  error: unknown,
  { digest, object, checkpoint, place = "" }: ListedBlock & { readonly place?: string },
  isKnown: (digest: Uint8Array) => boolean,
  allRead = true,
): Finding {
  const cid = cidOf(digest);
  const name =
    object === "checkpoint" ? `checkpoint ${checkpoint}, ${cid},` : `${object} ${cid} of checkpoint ${checkpoint}`;
  const unread = mayBeErased({ object }) ? "" : "; the blocks that this checkpoint names were not looked at";
  const say = (kind: FindingKind, what: string): Finding => ({
    ...{ kind, object, cid, checkpoint },
    text: `${name}${place} ${what}${unread}`,
  });
  const declared = allRead ? "was not declared erased" : "no checkpoint that can be read declared it erased";
  if (error instanceof BlockMissingError) return say("missing", `is missing and ${declared}`);
  if (!(error instanceof BlockAlteredError)) throw error;
  if (error.foundDigest && isKnown(error.foundDigest)) return say("swapped", "has the bytes of another anchored block");
  if (error.found !== undefined && error.found < SHORTEST[object])
    return say("truncated", `was cut to ${error.found} bytes`);
  return say("altered", "was altered");
}
