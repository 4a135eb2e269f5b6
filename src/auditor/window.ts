import { hex } from "../bytes/bytes.ts";
import { checkWindow, surroundingsOf, type ChainProblemKind, type Surroundings } from "../archive/chain.ts";
import { generationReader, type GenerationReader, type OpenedHeader } from "../archive/batches.ts";
import type { Found } from "../archive/archive.ts";
import { leaveProblem, type LeaveProblem } from "../archive/leave.ts";
import { consentId, type Consent } from "../consent/consent.ts";
import type { InForce } from "../consent/watch.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { EXIT, MedSealError } from "../errors.ts";
import type { Access } from "../grantee/access.ts";
import type { ReaderDeps, ReadRequest } from "../grantee/read.ts";
import { cidOf } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { epochsOf } from "../log/stream.ts";
import type { Chunk } from "../log/chunk.ts";
import type { Finding, FindingKind, ObjectKind } from "./findings.ts";
import { blockFinding } from "./verify.ts";

export interface WindowReport {
  /** No findings. */
  readonly ok: boolean;
  readonly headers: number;
  /** Batches whose readings were checked against the signed roots; 0 with keys to audit only. */
  readonly batches: number;
  readonly readings: number;
  /** Generations whose newest epoch in the window no header declares complete: more may come, or its end was left out. */
  readonly unfinished: number;
  readonly findings: readonly Finding[];
}

/** A header that opened, and its readings where the keys reach them and they are as signed. */
export interface Inspected extends OpenedHeader {
  readonly chunks: readonly Chunk[] | undefined;
  readonly keys: GenerationKeys;
}

/** Words for people; `epoch` in them is the start of the epoch in UTC. */
const PROBLEMS: Readonly<Record<ChainProblemKind | LeaveProblem, string>> = {
  "header-missing": "stands beside a gap: at least one header next to it in the sequence was left out",
  "header-repeated": "has the sequence number of another one",
  "header-replaced": "does not follow on the one before it: one of the two was exchanged",
  "epoch-missing": "is followed by epochs for which not even an empty header was written",
  "epoch-open": "is the last of its epoch, and does not say that the epoch is complete",
  "late-unmarked": "came after its epoch was declared complete, and does not say that it is late",
  "statement-repeated": "has a device statement whose counter stands still or goes back",
  "statement-replaced": "has a device statement that does not follow on the one before it",
  "not-a-leave": "was written under a consent that lets nobody write",
  "outside-window": "has times outside the window of its gateway's leave to write",
  "anchored-before-leave": "was anchored before its gateway's leave to write began",
  "after-leave-ended": "has times after its gateway's leave to write ended",
  "anchored-late": "was anchored too long after its gateway's leave to write ended",
};

/**
 * Checks a window of one stream with the keys that a grant gave, as far as they reach: headers and their order, leave to write, and with keys to
 * read every reading against its signed root. Goes on behind what is wrong, and blames no neighbour.
 *
 * @param inspected - Called with all that opened, by generation and epoch; what is wrong with it stands in the findings.
 * @throws OutsideCoverError beyond the granted window; the outages of store and chain.
 */
export async function verifyWindow(
  access: Access,
  request: ReadRequest,
  deps: ReaderDeps,
  inspected: (opened: Inspected) => void = () => undefined,
): Promise<WindowReport> {
  const tally: Tally = { findings: [], headers: 0, batches: 0, readings: 0, unfinished: 0 };
  const generations = access.keys.filter(({ stream }) => hex(stream.id) === hex(request.stream));
  for (const keys of generations) {
    const { consent } = keys.write;
    const archive = deps.archiveOf(consent.grantee);
    const { epochLength } = keys.stream;
    const facts = {
      ...{ consent, epochLength },
      intervals: deps.watch.intervals({ grantor: consent.grantor, id: consentId(consent) }),
      surroundings: surroundingsOf(archive.digests().map(hex), consent, request),
    };
    const reader = generationReader(keys, archive, deps.read);
    await checkGeneration(listed(keys, request, reader), reader, facts, tally, (opened, chunks) =>
      inspected({ ...opened, chunks, keys }),
    );
  }
  return reportOf(tally);
}

/** What was counted and found so far. */
export interface Tally {
  readonly findings: Finding[];
  headers: number;
  batches: number;
  readings: number;
  unfinished: number;
}

export function reportOf(tally: Tally): WindowReport {
  tally.findings.sort((a, b) => a.checkpoint - b.checkpoint);
  return { ok: tally.findings.length === 0, ...tally };
}

/** What the headers of one generation are held against. */
export interface GenerationFacts {
  /** The leave to write of its gateway. */
  readonly consent: Consent;
  /** When it was in force, undefined where that is not known: then it is not looked at. */
  readonly intervals: readonly InForce[] | undefined;
  readonly epochLength: number;
  readonly surroundings: Surroundings;
}

/**
 * Checks what is listed of one generation, in the order of its places, and adds to the tally.
 *
 * @param inspected - As `verifyWindow` has it.
 * @throws as `verifyWindow`.
 */
export async function checkGeneration(
  places: Iterable<{ epoch: number; n: number; found: Found }>,
  reader: Pick<GenerationReader, "header" | "chunks">,
  { consent, intervals, epochLength, surroundings }: GenerationFacts,
  tally: Tally,
  inspected: (opened: OpenedHeader, chunks: readonly Chunk[] | undefined) => void = () => undefined,
): Promise<void> {
  const { findings } = tally;
  const { known } = surroundings;
  const opened: OpenedHeader[] = [];
  const unread: { epoch: number; digest: Uint8Array }[] = [];
  for (const { epoch, n, found } of places) {
    let header: OpenedHeader;
    try {
      header = await reader.header(epoch, n, found);
    } catch (error) {
      findings.push({ ...findingOf(error, "header", found, known), span: spanOf(epoch, epochLength) });
      unread.push({ epoch, digest: found.entry.header });
      continue;
    }
    opened.push(header);
    const leave = intervals && leaveProblem(header.header, consent, intervals, found.anchored.time);
    if (leave !== undefined) findings.push(problem(leave, header, epochLength));
    let chunks: readonly Chunk[] | undefined;
    try {
      chunks = await reader.chunks(header);
    } catch (error) {
      findings.push({ ...findingOf(error, "batch", found, known), span: spanOf(epoch, epochLength) });
    }
    inspected(header, chunks);
    if (chunks === undefined) continue;
    tally.batches += 1;
    tally.readings += chunks.reduce((sum, { observations }) => sum + observations.length, 0);
  }
  tally.headers += opened.length;
  const { problems, unfinished } = checkWindow(opened, unread, surroundings);
  tally.unfinished += unfinished;
  for (const { kind, epoch, n } of problems) {
    const at = opened.find(({ place }) => place.epoch === epoch && place.n === n)!;
    findings.push(problem(kind, at, epochLength));
  }
}

function* listed(
  keys: GenerationKeys,
  { from, to }: ReadRequest,
  reader: GenerationReader,
): Generator<{ epoch: number; n: number; found: Found }> {
  const epochs = epochsOf(keys.stream, from, to);
  for (let epoch = epochs.from; epoch < epochs.to; epoch++) {
    for (let n = 0; ; n++) {
      const found = reader.find(epoch, n);
      if (!found) break;
      yield { epoch, n, found };
    }
  }
}

function problem(
  kind: ChainProblemKind | LeaveProblem,
  { place, header, found }: OpenedHeader,
  epochLength: number,
): Finding {
  const cid = cidOf(found.entry.header);
  const checkpoint = found.anchored.index;
  const span = spanOf(place.epoch, epochLength);
  const at = new Date(span.from * 1000).toISOString().replace(".000Z", "Z");
  const text = `header ${cid} of checkpoint ${checkpoint} (epoch from ${at}, number ${header.n}) ${PROBLEMS[kind]}`;
  return { kind, object: "header", cid, checkpoint, text, span };
}

const spanOf = (epoch: number, epochLength: number): { from: number; to: number } => ({
  from: epoch * epochLength,
  to: (epoch + 1) * epochLength,
});

function findingOf(
  error: unknown,
  object: ObjectKind,
  { entry, anchored }: Found,
  known: ReadonlySet<string>,
): Finding {
  const digest = object === "header" ? entry.header : entry.batch;
  const checkpoint = anchored.index;
  if (error instanceof BlockMissingError || error instanceof BlockAlteredError)
    return blockFinding(error, { digest, object, checkpoint }, known);
  if (!(error instanceof MedSealError) || error.exit !== EXIT.refused) throw error;
  const cid = cidOf(digest);
  const kind: FindingKind = "invalid";
  return { kind, object, cid, checkpoint, text: `${object} ${cid} of checkpoint ${checkpoint}: ${error.message}` };
}
