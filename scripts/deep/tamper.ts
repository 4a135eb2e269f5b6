import { hex } from "../../src/bytes/bytes.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import type { FindingKind } from "../../src/auditor/findings.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import type { Entry } from "../../src/log/checkpoint.ts";
import type { Chance } from "./chance.ts";
import { anchored, anchorOf, makeSample, type Anchored, type Sample, type SampleBatch, type Shape } from "./sample.ts";
import type { Changes } from "./verifiers.ts";

/** An archive after somebody was at it, and what an audit must find: kind and CID, nothing else. */
export interface Tampered {
  readonly at: Anchored;
  readonly changes: Changes;
  readonly expected: readonly string[];
}

export const named = (kind: FindingKind, digest: Uint8Array): string => `${kind} ${cidOf(digest)}`;

type Way = (sample: Sample, from: Chance, twin: () => Sample) => Tampered;

/** Blocks that a holder of the archive changes, behind what was anchored. */
const stored = (sample: Sample, changes: Changes, expected: readonly string[]): Tampered => ({
  at: anchored(sample),
  changes,
  expected,
});

/** What a gateway anchors instead of what it should have. */
function written(
  sample: Sample,
  change: (entry: Entry) => Entry | undefined,
  expected: readonly string[],
  blocks: ReadonlyMap<string, Uint8Array> = new Map(),
): Tampered {
  const checkpoints = sample.checkpoints.map(({ entries, mail }) => ({
    entries: entries.map(change).filter((entry) => entry !== undefined),
    mail,
  }));
  const at = anchored(sample, checkpoints);
  for (const [digest, block] of blocks) at.blocks.set(digest, block);
  return { at, changes: new Map(), expected };
}

/** All blocks that an archive names: of checkpoints, headers, batches and mail. */
function digestsOf(sample: Sample, { history }: Anchored): Uint8Array[] {
  const named = sample.checkpoints.flatMap(({ entries, mail }) => [
    ...entries.flatMap(({ header, batch }) => [header, batch]),
    ...mail.map(({ envelope }) => envelope),
  ]);
  return [...history.map(({ digest }) => digest), ...named];
}

/** Two different ones. */
function pickTwo<T>(from: Chance, list: readonly T[]): readonly [T, T] {
  const first = from.int(list.length);
  const second = (first + 1 + from.int(list.length - 1)) % list.length;
  return [list[first]!, list[second]!];
}

const sameEpoch = (sample: Sample, { epoch, stream }: SampleBatch): SampleBatch =>
  sample.batches.find((other) => other.epoch === epoch && other.stream !== stream)!;

/** One in place of the other in the entries, under the tags that they have. */
const exchanged =
  (one: Entry, other: Entry) =>
  (entry: Entry): Entry =>
    entry === one ? { ...other, tag: one.tag } : entry === other ? { ...one, tag: other.tag } : entry;

const swapInStore = (sample: Sample, one: Uint8Array, other: Uint8Array): Tampered => {
  const bytes = (digest: Uint8Array): Uint8Array => sample.blocks.get(hex(digest))!;
  const changes = new Map([
    [hex(one), bytes(other)],
    [hex(other), bytes(one)],
  ]);
  return stored(sample, changes, [named("swapped", one), named("swapped", other)]);
};

/** A checkpoint block of somebody's choice, anchored as the newest one. */
function appended(sample: Sample, block: Uint8Array, like: AnchoredCheckpoint): Tampered {
  const at = anchored(sample);
  const last = anchorOf(at.history.at(-1), block, like.root, like.size);
  at.history.push(last);
  at.blocks.set(hex(last.digest), block);
  return { at, changes: new Map(), expected: [named("mismatch", last.digest)] };
}

const removed: Way[] = [
  (sample, from) => {
    const digest = from.pick(digestsOf(sample, anchored(sample)));
    return stored(sample, new Map([[hex(digest), undefined]]), [named("missing", digest)]);
  },
  // The gateway never anchors it. A cut at the newest end shows once something follows.
  (sample, from) => {
    const left = from.pick(sample.batches.filter(({ epoch }) => epoch < sample.epochs - 1));
    const of = (epoch: number): Entry | undefined =>
      sample.batches.find((other) => other.stream === left.stream && other.epoch === epoch)?.entry;
    const beside = of(left.epoch - 1);
    const expected = beside
      ? [named("header-missing", beside.header), named("epoch-missing", beside.header)]
      : [named("header-missing", of(left.epoch + 1)!.header)];
    return written(sample, (entry) => (entry === left.entry ? undefined : entry), expected);
  },
];

const duplicated: Way[] = [
  (sample, from) => {
    const [one, other] = pickTwo(from, digestsOf(sample, anchored(sample)).slice(sample.checkpoints.length));
    return stored(sample, new Map([[hex(one), sample.blocks.get(hex(other))!]]), [named("swapped", one)]);
  },
  (sample, from) => {
    const [first, second] = sample.checkpoints;
    const entry = from.pick(first!.entries);
    const again = { entries: [...second!.entries, entry], mail: second!.mail };
    const expected = [named("duplicate-tag", entry.header)];
    return { at: anchored(sample, [first!, again]), changes: new Map(), expected };
  },
  // Under the tag of another of the same stream, whose own is left out.
  (sample, from) => {
    const [one, other] = pickTwo(
      from,
      sample.batches.filter(({ stream }) => stream === 0),
    );
    const change = (entry: Entry): Entry => (entry === one.entry ? { ...other.entry, tag: entry.tag } : entry);
    return written(sample, change, [named("invalid", other.entry.header)]);
  },
];

const reordered: Way[] = [
  (sample, from) => {
    const [one, other] = pickTwo(from, digestsOf(sample, anchored(sample)).slice(sample.checkpoints.length));
    return swapInStore(sample, one, other);
  },
  (sample, from) => {
    const [one, other] = pickTwo(
      from,
      sample.batches.filter(({ stream }) => stream === 0),
    ).map(({ entry }) => entry);
    const expected = [named("invalid", one!.header), named("invalid", other!.header)];
    return written(sample, exchanged(one!, other!), expected);
  },
  // Checkpoints anchored in another order than they were written in.
  (sample) => {
    const { history, blocks } = anchored(sample);
    const turned: AnchoredCheckpoint[] = [];
    for (const { digest, root, size } of [...history].reverse())
      turned.push(anchorOf(turned.at(-1), blocks.get(hex(digest))!, root, size));
    const expected = turned.map(({ digest }) => named("mismatch", digest));
    return { at: { history: turned, blocks }, changes: new Map(), expected };
  },
];

const swappedBetweenPatients: Way[] = [
  (sample, from) => {
    const one = from.pick(sample.batches);
    const kind = from.pick(["header", "batch"] as const);
    return swapInStore(sample, one.entry[kind], sameEpoch(sample, one).entry[kind]);
  },
  (sample, from) => {
    const one = from.pick(sample.batches);
    const other = sameEpoch(sample, one).entry;
    const expected = [named("invalid", one.entry.header), named("invalid", other.header)];
    return written(sample, exchanged(one.entry, other), expected);
  },
  // Header and batch torn apart: each header names a batch that its entry does not.
  (sample, from) => {
    const one = from.pick(sample.batches);
    const other = sameEpoch(sample, one).entry;
    const expected = [named("invalid", one.entry.header), named("invalid", other.header)];
    const change = (entry: Entry): Entry =>
      entry === one.entry
        ? { ...entry, batch: other.batch }
        : entry === other
          ? { ...entry, batch: one.entry.batch }
          : entry;
    return written(sample, change, expected);
  },
];

const replayed: Way[] = [
  (sample, from, twin) => {
    const index = from.int(sample.batches.length);
    const kind = from.pick(["header", "batch"] as const);
    const there = twin();
    const digest = sample.batches[index]!.entry[kind];
    const bytes = there.blocks.get(hex(there.batches[index]!.entry[kind]))!;
    return stored(sample, new Map([[hex(digest), bytes]]), [named("altered", digest)]);
  },
  (sample, from, twin) => {
    const index = from.int(sample.batches.length);
    const there = twin();
    const [here, foreign] = [sample.batches[index]!.entry, there.batches[index]!.entry];
    return written(
      sample,
      (entry) => (entry === here ? foreign : entry),
      [named("invalid", foreign.header)],
      there.blocks,
    );
  },
  (sample, from, twin) => {
    const { history, blocks } = anchored(twin());
    const like = from.pick(history);
    return appended(sample, blocks.get(hex(like.digest))!, like);
  },
];

/** What somebody may do to an archive, by what it is called. */
export const WAYS = { removed, duplicated, reordered, swappedBetweenPatients, replayed } as const;
export type WayName = keyof typeof WAYS;

const SHAPE: Shape = { streams: 2, epochs: 6, readings: 5, mail: 2 };

/** An archive nobody touched, and one of the ways of a name done to it. */
export function tampered(seed: string, name: WayName, from: Chance): { sample: Sample; tampered: Tampered } {
  const sample = makeSample(seed, SHAPE);
  const twin = (): Sample => makeSample(seed, { ...SHAPE, chainId: 1n });
  return { sample, tampered: from.pick(WAYS[name])(sample, from, twin) };
}
