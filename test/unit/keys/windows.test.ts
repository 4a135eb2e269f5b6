import { createHash } from "node:crypto";
import { expect } from "chai";
import { equal, hex } from "../../../src/bytes/bytes.ts";
import { coverOf, epochKey, epochKeys, type Cover } from "../../../src/keys/cover.ts";
import { childTowards, DEPTH, EPOCHS, sizeOf, type KeyNode } from "../../../src/keys/tree.ts";
import { isOutside } from "./outside.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? "windows";
const COUNT = Number(process.env["MEDSEAL_WINDOWS"] ?? 1000);

/** Whole numbers below a bound, the same for the same seed. */
function numbers(seed: string): (bound: number) => number {
  let drawn = 0;
  return (bound) => {
    const digest = createHash("sha256").update(`${seed}/${drawn++}`).digest();
    return Number(digest.readBigUInt64BE() % BigInt(bound));
  };
}

const rootOf = (seed: string): Uint8Array => new Uint8Array(createHash("sha256").update(seed).digest());

/** Windows of all scales: some epochs, a month of hours, most of the tree; now and then one that ends with the tree. */
function windowOf(below: (bound: number) => number): { from: number; to: number } {
  const size = 1 + below(2 ** (1 + below(DEPTH)));
  const from = below(16) === 0 ? EPOCHS - size : below(EPOCHS - size + 1);
  return { from, to: from + size };
}

/** Every key that somebody who holds the nodes can compute on the way to an epoch, even by walking as if a node lay elsewhere. */
function keysTowards(cover: Cover, epoch: number): string[] {
  return cover.flatMap((held) => {
    const keys = [hex(held.key)];
    const size = sizeOf(held);
    let node: KeyNode = { ...held, first: epoch - (epoch % size) };
    while (node.level < DEPTH) {
      node = childTowards(node, epoch);
      keys.push(hex(node.key));
    }
    return keys;
  });
}

describe(`${COUNT} random windows over random streams (MEDSEAL_SEED=${SEED})`, () => {
  it("opens exactly the epochs of the window, with at most 62 nodes a tree", () => {
    const below = numbers(SEED);
    let most = 0;
    for (let i = 0; i < COUNT; i++) {
      const root = rootOf(`${SEED}/root/${i}`);
      const truth = epochKeys(coverOf(root, 0, EPOCHS));
      const { from, to } = windowOf(below);
      const as = `window ${i}: ${from} to ${to}`;
      const cover = coverOf(root, from, to);
      most = Math.max(most, cover.length);
      for (const epoch of [from, to - 1, from + below(to - from), from + below(to - from)]) {
        expect(equal(epochKey(cover, epoch), truth(epoch)), `${as}, ${epoch} inside`).to.equal(true);
      }
      for (const epoch of [
        from - 1,
        to,
        ...(from > 0 ? [below(from)] : []),
        ...(to < EPOCHS ? [to + below(EPOCHS - to)] : []),
      ]) {
        expect(isOutside(cover, epoch), `${as}, ${epoch} outside`).to.equal(true);
      }
    }
    console.log(`      largest cover: ${most} nodes`);
    expect(most).to.be.within(20, 62);
  });

  it("two disjoint grants together open nothing between them", () => {
    const below = numbers(`${SEED}/disjoint`);
    const count = Math.ceil(COUNT / 10);
    for (let i = 0; i < count; i++) {
      const root = rootOf(`${SEED}/disjoint/${i}`);
      const span = 2 ** (3 + below(28));
      const start = below(EPOCHS - 3 * span);
      const [one, two] = [coverOf(root, start, start + span), coverOf(root, start + 2 * span, start + 3 * span)];
      const truth = epochKeys(coverOf(root, 0, EPOCHS));
      for (const epoch of [start + span, start + span + below(span), start + 2 * span - 1]) {
        expect(isOutside(one, epoch) && isOutside(two, epoch)).to.equal(true);
        expect(isOutside([...one, ...two], epoch), "joined").to.equal(true);
        // Nor does any key they can derive serve as the leaf of an epoch between them.
        const leafBetween = leafKey(root, epoch);
        expect(keysTowards([...one, ...two], epoch)).not.to.include(leafBetween);
        expect(keysTowards([...one, ...two], epoch)).not.to.include(hex(truth(epoch)));
      }
    }
  });
});

function leafKey(root: Uint8Array, epoch: number): string {
  let node: KeyNode = { level: 0, first: 0, key: root };
  while (node.level < DEPTH) node = childTowards(node, epoch);
  return hex(node.key);
}
