import { MedSealError, EXIT, UsageError } from "../errors.ts";
import { childTowards, DEPTH, EPOCHS, epochKeyOf, leftOf, rightOf, rootNode, sizeOf, type KeyNode } from "./tree.ts";

export { decodeCover, encodeCover } from "./cover-format.ts";

/**
 * The keys of some epochs of one tree: the fewest nodes that open exactly these, in ascending order. The cover of one window out of
 * a root has at most 62 nodes. An empty cover opens nothing.
 */
export type Cover = readonly KeyNode[];

/** Half-open: epochs `from` to `to - 1`. */
export interface EpochWindow {
  readonly from: number;
  readonly to: number;
}

/** The keys at hand do not open this epoch: it was not granted, or it was forgotten. */
export class OutsideCoverError extends MedSealError {
  readonly code = "ERR_OUTSIDE_COVER";
  override readonly exit = EXIT.notPermitted;

  constructor() {
    super("the epoch lies outside the granted keys", { hint: "ask the grantor for a grant over this time" });
  }
}

/** The cover of epochs `from` to `to - 1` (`to` at most 2^32) out of a random root of 32 bytes. */
export const coverOf = (root: Uint8Array, from: number, to: number): Cover => narrow([rootNode(root)], from, to);

/** The part of a cover inside the window; empty when they do not meet. The keys are copies: the old cover can be wiped. */
export function narrow(cover: Cover, from: number, to: number): Cover {
  checkWindow(from, to);
  return cover.flatMap((node) => within(node, from, to));
}

/** The cover without the window: after this, and once the old cover is wiped, its epochs stay closed. */
export function puncture(cover: Cover, from: number, to: number): Cover {
  checkWindow(from, to);
  return cover.flatMap((node) => [...within(node, 0, from), ...within(node, to, EPOCHS)]);
}

/** @throws OutsideCoverError when the cover does not hold the epoch. */
export const epochKey = (cover: Cover, epoch: number): Uint8Array => epochKeys(cover)(epoch);

/**
 * A reader of epoch keys that keeps the path to the last leaf, so that consecutive epochs cost two hashes each and not 33.
 * What it keeps is secret: drop it with the cover.
 */
export function epochKeys(cover: Cover): (epoch: number) => Uint8Array {
  let path: KeyNode[] = [];
  return (epoch) => {
    path = path.filter((node) => contains(node, epoch));
    let node = path.at(-1) ?? find(cover, epoch);
    if (path.length === 0) path.push(node);
    while (node.level < DEPTH) {
      node = childTowards(node, epoch);
      path.push(node);
    }
    return epochKeyOf(node);
  };
}

/** The epochs that a cover opens, as the fewest windows, ascending. */
export function windowsOf(cover: Cover): EpochWindow[] {
  const windows: EpochWindow[] = [];
  for (const node of cover) {
    const end = node.first + sizeOf(node);
    const last = windows.at(-1);
    if (last?.to === node.first) windows[windows.length - 1] = { from: last.from, to: end };
    else windows.push({ from: node.first, to: end });
  }
  return windows;
}

/** Whether a cover opens an epoch. */
export const covers = (cover: Cover, epoch: number): boolean => cover.some((node) => contains(node, epoch));

/** Overwrites the keys of a cover with zeros. Copies that the runtime made are out of reach. */
export function wipe(cover: Cover): void {
  for (const node of cover) node.key.fill(0);
}

function within(node: KeyNode, from: number, to: number): KeyNode[] {
  const end = node.first + sizeOf(node);
  if (to <= node.first || end <= from) return [];
  if (from <= node.first && end <= to) return [{ ...node, key: node.key.slice() }];
  const middle = node.first + sizeOf(node) / 2;
  return [
    ...(from < middle ? within(leftOf(node), from, to) : []),
    ...(middle < to ? within(rightOf(node), from, to) : []),
  ];
}

const contains = (node: KeyNode, epoch: number): boolean =>
  Number.isInteger(epoch) && node.first <= epoch && epoch < node.first + sizeOf(node);

/** Binary search: nodes are sorted and disjoint. */
function find(cover: Cover, epoch: number): KeyNode {
  let low = 0;
  let high = cover.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const node = cover[middle] as KeyNode;
    if (contains(node, epoch)) return node;
    if (epoch < node.first) high = middle - 1;
    else low = middle + 1;
  }
  throw new OutsideCoverError();
}

function checkWindow(from: number, to: number): void {
  const whole = Number.isSafeInteger(from) && Number.isSafeInteger(to);
  if (!whole || from < 0 || to > EPOCHS || from >= to) {
    throw new UsageError("a window of epochs starts at 0 or later, ends by 2^32 and is not empty");
  }
}
