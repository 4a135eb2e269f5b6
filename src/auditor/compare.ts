import { equal, hex } from "../bytes/bytes.ts";
import { headAfter, FIRST_HEAD, type CheckpointAnchor } from "../chain/anchor.ts";
import { cidOf } from "../ipfs/cid.ts";
import type { Finding } from "./findings.ts";

/**
 * Compares what two auditors were shown of one gateway's chain of checkpoints. One may have seen more than the other; up to there both must be
 * the same, as every head binds all checkpoints before it.
 *
 * @returns a finding at the first place at which they part, in each of the two histories; none when they agree.
 */
export function compareHistories(one: readonly CheckpointAnchor[], other: readonly CheckpointAnchor[]): Finding[] {
  let [head, otherHead] = [FIRST_HEAD, FIRST_HEAD];
  for (const [index, mine] of one.entries()) {
    const theirs = other[index];
    if (theirs === undefined) return [];
    // Recomputed, so that nothing depends on heads that somebody wrote down.
    [head, otherHead] = [headAfter(head, mine), headAfter(otherHead, theirs)];
    if (!equal(head, otherHead)) return [forked(mine, index, "this history"), forked(theirs, index, "the other one")];
  }
  return [];
}

function forked({ digest, root }: CheckpointAnchor, checkpoint: number, where: string): Finding {
  const cid = cidOf(digest);
  const text = `checkpoint ${checkpoint} is ${cid} with the root ${hex(root)} in ${where}: here the two part`;
  return { kind: "forked", object: "checkpoint", cid, checkpoint, text };
}
