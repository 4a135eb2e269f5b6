import { equal, hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { Archive } from "../../src/archive/archive.ts";
import type { ReadBlock } from "../../src/archive/checkpoints.ts";
import type { Finding, FindingKind } from "../../src/auditor/findings.ts";
import { verifyArchive } from "../../src/auditor/verify.ts";
import { verifyWindow } from "../../src/auditor/window.ts";
import { FIRST_HEAD } from "../../src/chain/anchor.ts";
import { MedSealError } from "../../src/errors.ts";
import type { Access } from "../../src/grantee/access.ts";
import type { ReaderDeps } from "../../src/grantee/read.ts";
import { cidOf, digestIn, parseCid } from "../../src/ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../../src/ipfs/errors.ts";
import { encodeCover } from "../../src/keys/cover.ts";
import type { Independent } from "./independent.ts";
import { EPOCH_LENGTH, FIRST_EPOCH, START, type Anchored, type Sample } from "./sample.ts";

/** Blocks that a store gives other bytes for, or none, by digest in hex. */
export type Changes = ReadonlyMap<string, Uint8Array | undefined>;

/** A store of blocks of which only the changed ones need to be hashed again. */
export const storeOf =
  (blocks: ReadonlyMap<string, Uint8Array>, changes: Changes = new Map()): ReadBlock =>
  (digest) => {
    const key = hex(digest);
    const block = changes.has(key) ? changes.get(key) : blocks.get(key);
    if (block === undefined) return Promise.reject(new BlockMissingError(cidOf(digest)));
    if (!changes.has(key)) return Promise.resolve(block);
    const foundDigest = sha256(block);
    if (equal(foundDigest, digest)) return Promise.resolve(block);
    return Promise.reject(new BlockAlteredError(cidOf(digest), block.length, { foundDigest }));
  };

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly readings: number;
}

/** Without a key. */
export const keyless = async (sample: Sample, { history, blocks }: Anchored, changes?: Changes): Promise<Verdict> => {
  const { findings } = await verifyArchive(sample.place, history, storeOf(blocks, changes));
  return { findings, readings: 0 };
};

/** With keys to read one stream, in epochs `from` to `to - 1` counted from the first. */
export async function withKeys(
  sample: Sample,
  { history, blocks }: Anchored,
  stream: number,
  changes?: Changes,
  from = 0,
  to = sample.epochs,
): Promise<Verdict> {
  const read = storeOf(blocks, changes);
  const archive = new Archive(sample.place, read);
  await archive.update(history);
  const keys = sample.streams[stream]!;
  const request = {
    stream: keys.stream.id,
    from: START + from * EPOCH_LENGTH,
    to: START + to * EPOCH_LENGTH,
    purpose: "TREAT",
  };
  const watch = { intervals: () => [{ from: 0 }] };
  const deps = { archiveOf: () => archive, read, watch } as unknown as ReaderDeps;
  return verifyWindow({ keys: [keys] } as unknown as Access, request, deps);
}

/** In both depths, over all streams; each finding once. Where a checkpoint cannot be read nobody knows what was anchored in it. */
export async function everyDepth(sample: Sample, at: Anchored, changes?: Changes): Promise<Finding[]> {
  const all = [...(await keyless(sample, at, changes)).findings];
  if (!all.some(({ object }) => object === "checkpoint" || object === "page"))
    for (const stream of sample.streams.keys()) all.push(...(await withKeys(sample, at, stream, changes)).findings);
  return [...new Map(all.map((finding) => [`${finding.kind} ${finding.cid}`, finding])).values()];
}

const CLASSES: Partial<Record<FindingKind, string>> = {
  missing: "missing",
  altered: "altered",
  truncated: "altered",
  swapped: "altered",
  malformed: "checkpoint",
  mismatch: "checkpoint",
  "duplicate-tag": "duplicated",
  invalid: "refused",
  "signature-invalid": "refused",
};

/** What ours found in the words that both verifiers have: class of the finding and block. */
export const inCommon = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.map(({ kind, cid }) => `${CLASSES[kind] ?? "order"} ${hex(digestIn(parseCid(cid)))}`))].sort();

interface TheirFinding {
  readonly kind: string;
  readonly object: string;
  readonly digest?: string;
}

function theirsInCommon({ kind, object, digest }: TheirFinding): string {
  if (object === "order") return `order ${digest}`;
  return `${object === "checkpoint" && kind !== "missing" && kind !== "altered" ? "checkpoint" : kind} ${digest}`;
}

/** What the independent verifier is told of an archive, as test/independent/README.md has it. */
export function archiveJson({ place, streams, epochs }: Sample, { history }: Anchored): object {
  const inHex = <T extends object>(value: T): Record<string, unknown> =>
    Object.fromEntries(Object.entries(value).map(([key, one]) => [key, one instanceof Uint8Array ? hex(one) : one]));
  return {
    ...inHex(place),
    chainId: String(place.chainId),
    head: hex(history.at(-1)?.head ?? FIRST_HEAD),
    checkpoints: history.map(({ root, digest, size, head }) => inHex({ root, digest, size, head })),
    generations: streams.map(({ stream, generation, role, data, audit }) => ({
      stream: hex(stream.id),
      generation,
      epochLength: stream.epochLength,
      from: FIRST_EPOCH,
      to: FIRST_EPOCH + epochs,
      whole: true,
      filed: role === "filed",
      audit: hex(encodeCover(audit)),
      data: data && hex(encodeCover(data)),
    })),
  };
}

/** What the independent verifier finds in the same archive, in both depths. */
export async function independently(
  by: Independent,
  sample: Sample,
  at: Anchored,
  changes: Changes = new Map(),
): Promise<string[]> {
  const base64 = (block: Uint8Array): string => Buffer.from(block).toString("base64");
  const { findings } = (await by.ask({
    archive: archiveJson(sample, at),
    blocks: Object.fromEntries([...at.blocks].map(([digest, block]) => [digest, base64(block)])),
    changes: Object.fromEntries([...changes].map(([digest, block]) => [digest, block ? base64(block) : null])),
  })) as { findings: TheirFinding[] };
  return [...new Set(findings.map(theirsInCommon))].sort();
}

/** Milliseconds of the processor: more than this on one input is a hang. */
const LONGEST = 2000;

/** Begins to count what the processor does in this process, which a busy machine does not lengthen. @returns whether it is too much for one input. */
export function hangWatch(): () => boolean {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000 > LONGEST;
  };
}

/** Whether an error says something of the input, and is not a bug. */
export const isTyped = (error: unknown): error is MedSealError => error instanceof MedSealError;
