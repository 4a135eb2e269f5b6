import { equal, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import { statementDigest } from "../log/chunk.ts";
import type { OpenedBatch } from "./batches.ts";

/**
 * - `header-missing`: a sequence number between two that are there is not; in a window it may belong to an epoch outside.
 * - `header-repeated`: two headers have one sequence number.
 * - `header-replaced`: a header names another one as the one before it.
 * - `epoch-missing`: an epoch between two that are there has no header, not even an empty one.
 * - `epoch-open`: no header says that the epoch is complete: its end may be cut off, or is still to come.
 * - `late-unmarked`: a batch came after the epoch was said to be complete, and does not say so.
 * - `statement-repeated`, `statement-replaced`: the device's counter stands still or goes back; or it names another statement before.
 */
export type ChainProblemKind =
  | "header-missing"
  | "header-repeated"
  | "header-replaced"
  | "epoch-missing"
  | "epoch-open"
  | "late-unmarked"
  | "statement-repeated"
  | "statement-replaced";

export interface ChainProblem {
  readonly kind: ChainProblemKind;
  readonly generation: number;
  /** Where it shows; for what is missing, the place before it. */
  readonly epoch: number;
  readonly n: number;
}

type Link = Pick<OpenedBatch, "header" | "headerBlock">;

/**
 * Follows the headers of one generation from one to the next: what a gateway leaves out, repeats or exchanges shows.
 *
 * @param batches - Of one generation, in any order; all of it, or a window.
 */
export function checkChain(batches: readonly Link[]): ChainProblem[] {
  const inOrder = [...batches].sort((a, b) => a.header.sequence - b.header.sequence);
  return [...checkSequence(inOrder), ...checkEpochs(inOrder), ...checkStatements(inOrder)];
}

const at = (kind: ChainProblemKind, { header }: Link): ChainProblem => {
  const { generation, epoch, n } = header;
  return { kind, generation, epoch, n };
};

function checkSequence(inOrder: readonly Link[]): ChainProblem[] {
  return inOrder.slice(1).flatMap((link, i) => {
    const before = inOrder[i] as Link;
    const step = link.header.sequence - before.header.sequence;
    if (step === 0) return [at("header-repeated", link)];
    if (step > 1) return [at("header-missing", before)];
    return equal(link.header.previous, sha256(before.headerBlock)) ? [] : [at("header-replaced", link)];
  });
}

function checkEpochs(inOrder: readonly Link[]): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const epochs = new Map<number, { closed: boolean; link: Link }>();
  for (const link of inOrder) {
    const { epoch, last, late } = link.header;
    const closed = epochs.get(epoch)?.closed ?? false;
    if (closed && !late) problems.push(at("late-unmarked", link));
    epochs.set(epoch, { closed: closed || last, link });
  }
  const byEpoch = [...epochs].sort(([a], [b]) => a - b);
  for (const [i, [epoch, { closed, link }]] of byEpoch.entries()) {
    if (!closed) problems.push(at("epoch-open", link));
    const next = byEpoch[i + 1];
    if (next && next[0] > epoch + 1) problems.push(at("epoch-missing", link));
  }
  return problems;
}

/** One device signs for several streams, so its counter may leave numbers out here; it never stands still. */
function checkStatements(inOrder: readonly Link[]): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const last = new Map<string, { counter: bigint; digest: Uint8Array }>();
  for (const link of inOrder) {
    for (const { statement } of link.header.chunks) {
      const device = hex(statement.deviceKey);
      const digest = statementDigest(statement);
      const before = last.get(device);
      // The chunks of one message share its statement.
      if (before && equal(before.digest, digest)) continue;
      if (before && statement.counter <= before.counter) problems.push(at("statement-repeated", link));
      else if (before && statement.counter === before.counter + 1n && !equal(statement.previous, before.digest))
        problems.push(at("statement-replaced", link));
      last.set(device, { counter: statement.counter, digest });
    }
  }
  return problems;
}
