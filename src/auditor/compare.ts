import { equal } from "../bytes/bytes.ts";
import { headAfter, FIRST_HEAD, type AnchoredCheckpoint } from "../chain/anchor.ts";
import { cidOf } from "../ipfs/cid.ts";
import type { Finding } from "./findings.ts";

/**
 * Compares what two auditors were shown of one gateway's chain of checkpoints. One may have seen more than the other; up to there both must be
 * the same, as every head binds all checkpoints before it.
 *
 * @returns a finding at the first place at which they part, in each of the two histories; none when they agree.
 */
export function compareHistories(one: readonly AnchoredCheckpoint[], other: readonly AnchoredCheckpoint[]): Finding[] {
  let [head, otherHead] = [FIRST_HEAD, FIRST_HEAD];
  for (const [index, mine] of one.entries()) {
    const theirs = other[index];
    if (theirs === undefined) return [];
    // Recomputed, so that nothing depends on heads that somebody wrote down.
    [head, otherHead] = [headAfter(head, mine), headAfter(otherHead, theirs)];
    if (!equal(head, otherHead)) return [mine, theirs].map(({ digest }) => forked(digest, index));
  }
  return [];
}

function forked(digest: Uint8Array, checkpoint: number): Finding {
  const cid = cidOf(digest);
  const text = `checkpoint ${cid} stands at place ${checkpoint} in one history, and another one in the other`;
  return { kind: "forked", object: "checkpoint", cid, checkpoint, text };
}
