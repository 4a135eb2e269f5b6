import { hex } from "../../src/bytes/bytes.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { chance, type Chance } from "./chance.ts";
import { anchored, makeSample, type Anchored, type Sample } from "./sample.ts";
import { keyless, withKeys } from "./verifiers.ts";

export interface FlipFigures {
  flips: number;
  /** Flips of which exactly the flipped block was named. */
  found: number;
  /** Findings that name another block, or any in what nobody touched. */
  falseFindings: number;
  /** Readings of untouched archives that were verified. */
  cleanReadings: number;
}

/** Batches of one archive; of that many archives the campaigns consist. */
const BATCHES = 10;
/** Of the archive of a part of the campaign: every flip costs an audit of all of them. */
const FEW = 4;

/** Flips every bit of every header, batch and checkpoint of 100 batches; with a scale below 1, of so many of their blocks. */
export async function flipEveryBit(seed: string, scale: number, figures: FlipFigures): Promise<void> {
  const from = chance(seed, "every bit");
  const archives = Math.max(1, Math.round((100 / BATCHES) * scale));
  const isWhole = scale * 100 >= BATCHES;
  for (let i = 0; i < archives; i++) {
    const shape = { streams: 2, epochs: (isWhole ? BATCHES : FEW) / 2, readings: 5, mail: 0 };
    const sample = makeSample(`${seed} every bit ${i}`, shape);
    const at = anchored(sample);
    await clean(sample, at, figures);
    const all = [...at.blocks.keys()];
    // Of an archive that is not the whole campaign one header, one batch and one checkpoint stand for the others.
    const one = from.pick(sample.batches).entry;
    const chosen = isWhole ? all : [hex(one.header), hex(one.batch), hex(from.pick(at.history).digest)];
    for (const digest of chosen)
      for (let bit = 0; bit < at.blocks.get(digest)!.length * 8; bit++) await flip(sample, at, digest, bit, figures);
  }
}

/** Flips bits at 100,000 random places of 1,000 batches, their checkpoints and mail, and looks with keys too. */
export async function flipAnywhere(seed: string, scale: number, figures: FlipFigures): Promise<void> {
  const from = chance(seed, "anywhere");
  const archives = Math.max(1, Math.round((1000 / BATCHES) * scale));
  for (let i = 0; i < archives; i++) {
    const shape = { streams: 2, epochs: BATCHES / 2, readings: 1000, mail: 2 };
    const sample = makeSample(`${seed} anywhere ${i}`, shape);
    const at = anchored(sample);
    await clean(sample, at, figures);
    const digests = [...at.blocks.keys()];
    for (let j = 0; j < 1000; j++) {
      const digest = place(from, at, digests);
      await flip(sample, at, digest, from.int(at.blocks.get(digest)!.length * 8), figures);
    }
  }
}

/** A block, the likelier the longer it is, so that every bit is as likely as any other. */
function place(from: Chance, { blocks }: Anchored, digests: readonly string[]): string {
  const total = digests.reduce((sum, digest) => sum + blocks.get(digest)!.length, 0);
  let left = from.int(total);
  return digests.find((digest) => (left -= blocks.get(digest)!.length) < 0)!;
}

async function clean(sample: Sample, at: Anchored, figures: FlipFigures): Promise<void> {
  figures.falseFindings += (await keyless(sample, at)).findings.length;
  for (const stream of sample.streams.keys()) {
    const { findings, readings } = await withKeys(sample, at, stream);
    figures.falseFindings += findings.length;
    figures.cleanReadings += readings;
  }
}

async function flip(sample: Sample, at: Anchored, digest: string, bit: number, figures: FlipFigures): Promise<void> {
  const block = at.blocks.get(digest)!.slice();
  block[bit >> 3]! ^= 1 << (bit & 7);
  const changes = new Map([[digest, block]]);
  const { findings } = await keyless(sample, at, changes);
  const cid = cidOf(Buffer.from(digest, "hex"));
  let isFound = findings.some((finding) => finding.kind === "altered" && finding.cid === cid);
  let others = findings.filter((finding) => finding.cid !== cid).length;
  const batch = sample.batches.find(({ entry }) => [entry.header, entry.batch].some((one) => hex(one) === digest));
  // One in a hundred with keys as well: they read the same bytes.
  if (batch && bit % 101 === 0) {
    const { stream, epoch } = batch;
    const keyed = await withKeys(sample, at, stream, changes, epoch, epoch + 1);
    isFound &&= keyed.findings.some((finding) => finding.kind === "altered" && finding.cid === cid);
    others += keyed.findings.filter((finding) => finding.cid !== cid).length;
  }
  figures.flips += 1;
  figures.found += isFound ? 1 : 0;
  figures.falseFindings += others;
}
