import { equal, fromHex, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import type { Found } from "../archive/archive.ts";
import { surroundingsOf } from "../archive/chain.ts";
import type { GenerationReader } from "../archive/batches.ts";
import { FIRST, linkAfter, readCheckpoint, type ReadBlock } from "../archive/checkpoints.ts";
import { isDamage } from "../auditor/checks.ts";
import type { Finding } from "../auditor/findings.ts";
import { blockFinding, checkpointFinding } from "../auditor/verify.ts";
import { checkGeneration, newTally, placeText, reportOf, type Tally, type WindowReport } from "../auditor/window.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { decodeBlockHeader } from "../chain/block-header.ts";
import type { BlockHeader } from "../chain/rpc.ts";
import { MedSealError } from "../errors.ts";
import { cidOf } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { decodeCheckpoint } from "../log/checkpoint.ts";
import { MismatchError } from "../log/errors.ts";
import { openBatchAlone, openHeaderAlone } from "../log/sealed-batch.ts";
import type { Bundle, BundledBatch, BundledGeneration } from "./bundle.ts";
import {
  EvidenceRefusedError,
  provenConsents,
  provenHistories,
  type ShownConsent,
  type TrustedChain,
} from "./chain.ts";

export interface EvidenceReport extends Omit<WindowReport, "findings"> {
  readonly block: BlockHeader;
  readonly checkpoints: number;
  readonly consents: readonly ShownConsent[];
  /** Epochs of the window of which no header is shown: nothing was recorded, or it was left out. */
  readonly unrecorded: number;
  /** Headers between those shown of a generation of which nothing is shown: of epochs outside the window, by the exporter's word. */
  readonly unshown: number;
  /** Something is wrong with what is there. */
  readonly findings: readonly Finding[];
  /** What is not there. */
  readonly missing: readonly string[];
}

/** The exporter could not open it, so there is no key of it. */
class NoKeyError extends MedSealError {
  readonly code = "ERR_NO_KEY";

  constructor() {
    super("whoever exported it could not open it");
  }
}

/**
 * Checks a bundle without chain and store: heads and consents in the state of its block, every checkpoint on the way to the head, headers in order,
 * leave to write, readings against their signed roots.
 *
 * What the exporter leaves out at the end of a generation, and when something was anchored, it cannot tell.
 *
 * @throws EvidenceRefusedError, StateProofError, ConsentInvalidError, StatementDiffersError, MalformedError.
 */
export async function verifyEvidence(bundle: Bundle, trusted: TrustedChain): Promise<EvidenceReport> {
  const block = decodeBlockHeader(bundle.block);
  if (trusted.blockHash !== undefined && trusted.blockHash !== block.hash)
    throw new EvidenceRefusedError("it rests on another block than the given one");
  const consents = provenConsents(bundle, block, trusted);
  const histories = provenHistories(bundle, block, trusted);

  const tally = newTally();
  const asked = new Set<string>();
  const read = readerOf(bundle.blocks, asked);
  const archives = new Map<string, Named>();
  const erased = new Set<string>();
  const known = new Set(bundle.blocks.keys());
  for (const { address, history } of histories) {
    const entries = await entriesOf(bundle, address, history, read, erased, tally);
    // A header may follow on one of another epoch, of which the checkpoints give the digest only.
    const named = [...entries.values()].flatMap(({ entry }) => [hex(entry.header), hex(entry.batch)]);
    archives.set(hex(address), { entries, isKnown: isIn(new Set([...known, ...named])) });
  }

  const covered = new Set<number>();
  const shown = new Set<string>();
  let unshown = 0;
  const missing: string[] = [];
  for (const one of bundle.generations) {
    const { consent, inForce } = consents[one.write] as ShownConsent;
    const gateway = fromHex(consent.grantee);
    const archive = archives.get(hex(gateway));
    if (!archive) throw new EvidenceRefusedError("a generation's gateway is not among those shown");
    if (shown.size === shown.add(`${one.generation} of ${consent.grantee}`).size)
      throw new EvidenceRefusedError("a generation comes twice");
    const places = placesOf(bundle, one, archive.entries, missing);
    for (const { epoch } of places) covered.add(epoch);
    const facts = {
      ...{ consent, intervals: inForce, epochLength: bundle.epochLength },
      surroundings: surroundingsOf(archive.isKnown, consent, bundle, one.filed),
    };
    const sequences = new Set<number>();
    await checkGeneration(places, bundledReader(bundle, one, gateway, read), facts, tally, ({ header }) =>
      sequences.add(header.sequence),
    );
    unshown += leftOut(sequences);
  }
  if (!bundle.registryAccount)
    missing.unshift("the state of the consents: whether the gateway had leave to write is not shown");

  const { findings, ...counts } = reportOf(tally);
  const gone = findings.filter(({ kind }) => kind === "missing");
  missing.push(
    ...gone.map(({ cid, object, text }) => (erased.has(cid) ? `${object} ${cid} was declared erased` : text)),
  );
  const wrong = findings.filter(({ kind }) => kind !== "missing");
  const ok = wrong.length === 0 && missing.length === 0;
  if (ok && [...known].some((digest) => !asked.has(digest)))
    throw new EvidenceRefusedError("it holds a block that nothing in it names");
  return {
    ...counts,
    ok,
    block,
    checkpoints: histories.reduce((sum, { history }) => sum + history.length, 0),
    consents,
    unshown,
    unrecorded: (bundle.to - bundle.from) / bundle.epochLength - covered.size,
    findings: wrong,
    missing,
  };
}

/** What the checkpoints of a gateway name. */
interface Named {
  /** By tag. */
  readonly entries: ReadonlyMap<string, Found>;
  readonly isKnown: (digest: Uint8Array) => boolean;
}

/** How many numbers between the lowest and the highest are not there. */
function leftOut(numbers: ReadonlySet<number>): number {
  if (numbers.size === 0) return 0;
  let [lowest, highest] = [Infinity, 0];
  for (const number of numbers) [lowest, highest] = [Math.min(lowest, number), Math.max(highest, number)];
  return highest - lowest + 1 - numbers.size;
}

/** Reads from the bundle as from a store, and notes what was asked for: what is not there is missing, what does not hash to its name is altered. */
function readerOf(blocks: Bundle["blocks"], asked: Set<string>): ReadBlock {
  return (digest) => {
    asked.add(hex(digest));
    const block = blocks.get(hex(digest));
    if (!block) return Promise.reject(new BlockMissingError(cidOf(digest)));
    const foundDigest = sha256(block);
    if (equal(foundDigest, digest)) return Promise.resolve(block);
    return Promise.reject(new BlockAlteredError(cidOf(digest), block.length, { foundDigest }));
  };
}

/** Every entry of a gateway under the first tag that named it, from the checkpoints that are there. */
async function entriesOf(
  bundle: Bundle,
  gateway: Uint8Array,
  history: readonly AnchoredCheckpoint[],
  read: ReadBlock,
  erased: Set<string>,
  { findings }: Tally,
): Promise<Map<string, Found>> {
  const place = { chainId: BigInt(bundle.chainId), anchor: bundle.anchor, gateway };
  const known = new Set(bundle.blocks.keys());
  const entries = new Map<string, Found>();
  let link = FIRST;
  for (const anchored of history) {
    try {
      const checkpoint = await readCheckpoint(anchored, link, place, read);
      for (const digest of checkpoint.erased) erased.add(cidOf(digest));
      checkpoint.entries.forEach((entry, index) => {
        const tag = hex(entry.tag);
        if (!entries.has(tag)) entries.set(tag, { entry, index, checkpoint, anchored });
      });
    } catch (error) {
      findings.push(...(await findingsOf(error, anchored, isIn(known), read)));
    }
    link = linkAfter(link, anchored);
  }
  return entries;
}

const isIn =
  (digests: ReadonlySet<string>) =>
  (digest: Uint8Array): boolean =>
    digests.has(hex(digest));

/** What kept a checkpoint from being read: its block, or each of its pages that is missing or altered. */
async function findingsOf(
  error: unknown,
  anchored: AnchoredCheckpoint,
  isKnown: (digest: Uint8Array) => boolean,
  read: ReadBlock,
): Promise<Finding[]> {
  const { digest, index } = anchored;
  if (!isDamage(error)) return [checkpointFinding(error, anchored, { index })];
  const say = (found: unknown, block: Uint8Array, object: "checkpoint" | "page"): Finding =>
    blockFinding(found, { digest: block, object, checkpoint: index }, isKnown);
  if (error.cid === cidOf(digest)) return [say(error, digest, "checkpoint")];
  const findings: Finding[] = [];
  for (const page of decodeCheckpoint(await read(digest)).pages)
    await read(page).catch((found: unknown) => findings.push(say(found, page, "page")));
  return findings;
}

/** Where the batches of a generation stand; each place once and in order. */
function placesOf(
  { from, to, epochLength }: Bundle,
  { batches }: BundledGeneration,
  entries: ReadonlyMap<string, Found>,
  missing: string[],
): { epoch: number; n: number; found: Found }[] {
  const places: { epoch: number; n: number; found: Found }[] = [];
  let before = { epoch: -1, n: -1 };
  for (const { epoch, n, tag } of batches) {
    if (epoch * epochLength < from || epoch * epochLength >= to)
      throw new EvidenceRefusedError("it has a batch outside its window");
    // Numbered from 0 without a gap, or one could be left out whose digest is known from its checkpoint.
    const follows = epoch === before.epoch ? n === before.n + 1 : epoch > before.epoch && n === 0;
    if (!follows) throw new EvidenceRefusedError("its batches are out of order");
    before = { epoch, n };
    const found = entries.get(hex(tag));
    if (found) places.push({ epoch, n, found });
    else {
      const place = placeText({ epoch, n }, epochLength);
      missing.push(`the entry of a batch${place}: no checkpoint that is here names it`);
    }
  }
  return places;
}

/** Opens what the bundle has keys of. */
function bundledReader(
  bundle: Bundle,
  { generation, batches }: BundledGeneration,
  gateway: Uint8Array,
  read: ReadBlock,
): Pick<GenerationReader, "header" | "chunks" | "check"> {
  const keys = new Map(batches.map((batch): [string, BundledBatch] => [`${batch.epoch}/${batch.n}`, batch]));
  const keysOf = (epoch: number, n: number): BundledBatch => keys.get(`${epoch}/${n}`) as BundledBatch;
  const common = { chainId: BigInt(bundle.chainId), anchor: bundle.anchor, gateway, stream: bundle.stream, generation };
  const chunks: GenerationReader["chunks"] = async ({ place, header, found }) => {
    if (bundle.shows === "headers") return undefined;
    const block = await read(found.entry.batch);
    const { batchKey } = keysOf(place.epoch, place.n);
    if (!batchKey) throw new NoKeyError();
    return openBatchAlone(block, batchKey, place, header, bundle.epochLength);
  };
  return {
    async header(epoch, n, found) {
      const place = { ...common, epoch, n };
      const headerBlock = await read(found.entry.header);
      const { headerKey } = keysOf(epoch, n);
      if (!headerKey) throw new NoKeyError();
      const header = openHeaderAlone(headerBlock, headerKey, place, found.entry);
      const start = epoch * bundle.epochLength;
      const within = header.earliest >= start && header.latest < start + bundle.epochLength;
      if (header.chunks.length > 0 && !within) throw new MismatchError("its times lie outside its epoch");
      return { place, header, headerBlock, found };
    },
    chunks,
    check: async (opened) => (await chunks(opened)) !== undefined,
  };
}
