import { hex } from "../bytes/bytes.ts";
import { checkWindow, surroundingsOf, type ChainProblemKind, type Surroundings } from "../archive/chain.ts";
import { generationReader, type CheckBatch, type GenerationReader, type OpenedHeader } from "../archive/batches.ts";
import type { Found } from "../archive/archive.ts";
import { deviceProblems, type DeviceProblem, type Devices } from "../archive/devices.ts";
import { leaveProblem, type LeaveProblem } from "../archive/leave.ts";
import type { AnchoredCheckpoint } from "../chain/anchor.ts";
import { consentId, type Consent } from "../consent/consent.ts";
import type { InForce } from "../consent/watch.ts";
import type { GenerationKeys } from "../envelope/payload.ts";
import { EXIT, MedSealError } from "../errors.ts";
import type { Access } from "../grantee/access.ts";
import type { ReaderDeps, ReadRequest } from "../grantee/read.ts";
import { cidOf } from "../ipfs/cid.ts";
import { BlockAlteredError, BlockMissingError } from "../ipfs/errors.ts";
import { parallel } from "../ipfs/parallel.ts";
import { SignatureInvalidError } from "../log/errors.ts";
import type { BatchPlace } from "../log/sealed-batch.ts";
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
  /** Headers that came after their epoch was declared complete, and say so. */
  readonly late: number;
  /** Generations whose newest epoch in the window no header declares complete: more may come, or its end was left out. */
  readonly unfinished: number;
  /** Blocks that are gone and were declared erased. */
  readonly erased: number;
  readonly findings: readonly Finding[];
}

/** A header that opened, and its readings where the keys reach them and they are as signed. */
export interface Inspected extends OpenedHeader {
  readonly chunks: readonly Chunk[] | undefined;
  readonly keys: GenerationKeys;
}

type HeaderProblem = ChainProblemKind | LeaveProblem | DeviceProblem;

/** Words for people; `epoch` in them is the start of the epoch in UTC. */
const PROBLEMS: Readonly<Record<HeaderProblem, string>> = {
  "header-missing": "stands beside a gap: at least one header next to it in the sequence was left out",
  "header-repeated": "has the sequence number of another one",
  "header-replaced": "does not follow on the one before it: one of the two was exchanged",
  "epoch-missing": "is followed by epochs that have no header, not even an empty one",
  "epoch-open": "is the last of its epoch, and does not say that the epoch is complete",
  "late-unmarked":
    "came after its epoch was declared complete, or was filed by the patient, and does not say that it is late",
  "statement-repeated": "has a device statement whose counter stands still or goes back",
  "statement-replaced": "has a device statement that does not follow on the one before it",
  "not-a-leave": "was written under a consent that lets nobody write",
  "outside-window": "has times outside the window of its gateway's leave to write",
  "anchored-before-leave": "was anchored before its gateway's leave to write began",
  "after-leave-ended": "has times after its gateway's leave to write ended",
  "anchored-late": "was anchored too long after its gateway's leave to write ended",
  "device-not-enrolled": "was anchored before its device was enrolled",
  "device-suspended": "was anchored while its device was suspended",
  "device-retired": "was anchored after its device was retired",
  "device-recalled": "is signed by a device whose model was recalled with this firmware",
};

/**
 * Checks a window of one stream with the keys that a grant gave, as far as they reach: headers and their order, leave to write, and with keys to
 * read every reading against its signed root. Goes on behind what is wrong, and blames no neighbour.
 *
 * @param inspected - Called with all that opened and its readings, by generation and epoch; what is wrong with it stands in the findings. Where
 * it is not given, readings are checked without an object for each, in a third of the time.
 * @throws OutsideCoverError beyond the granted window; the outages of store and chain.
 */
export async function verifyWindow(
  access: Access,
  request: ReadRequest,
  deps: ReaderDeps,
  inspected?: (opened: Inspected) => void,
  { check, progress = () => undefined, anchored, devices, only, isPart = only !== undefined }: WindowOptions = {},
): Promise<WindowReport> {
  const tally = newTally();
  const generations = access.keys.filter(({ stream }) => hex(stream.id) === hex(request.stream));
  for (const [i, keys] of generations.entries()) {
    const { consent } = keys.write;
    const archive = deps.archiveOf(consent.grantee);
    const { epochLength } = keys.stream;
    const facts = {
      ...{ consent, epochLength, devices, isPart },
      intervals: deps.watch.intervals({ grantor: consent.grantor, id: consentId(consent) }),
      surroundings: surroundingsOf((digest) => archive.names(digest), consent, request, keys.role === "filed"),
      isErased: (digest: Uint8Array) => archive.isErased(digest),
    };
    const reader = noting(generationReader(keys, archive, deps.read, check), (found) => anchored?.(found, keys));
    const all = listed(keys, request, reader, (share) => progress((i + share) / generations.length));
    const places = only ? filtered(all, ({ found }) => only(found)) : all;
    const each =
      inspected &&
      ((opened: OpenedHeader, chunks: readonly Chunk[] | undefined): void => inspected({ ...opened, chunks, keys }));
    await checkGeneration(places, reader, facts, tally, each);
  }
  return reportOf(tally);
}

export interface WindowOptions {
  /** How batches are checked of which nobody asks for the readings. */
  readonly check?: CheckBatch | undefined;
  /** What is known of devices; without it nothing is said of them. */
  readonly devices?: Devices | undefined;
  /** Called with the share of the window that was gone through, 0 to 1. */
  readonly progress?: (share: number) => void;
  /** Which batches are looked at; all of the window without it. */
  readonly only?: ((found: Found) => boolean) | undefined;
  /** What is asked for is less than its epochs: that these are complete is not looked at. */
  readonly isPart?: boolean;
  /** Called with the checkpoint of each header that is looked at. */
  readonly anchored?: (checkpoint: AnchoredCheckpoint, keys: GenerationKeys) => void;
}

const noting = (reader: GenerationReader, note: (checkpoint: AnchoredCheckpoint) => void): GenerationReader => ({
  ...reader,
  header(epoch, n, found) {
    note(found.anchored);
    return reader.header(epoch, n, found);
  },
});

/** What was counted and found so far. */
export interface Tally {
  readonly findings: Finding[];
  headers: number;
  batches: number;
  readings: number;
  late: number;
  unfinished: number;
  erased: number;
}

export const newTally = (): Tally => ({
  findings: [],
  headers: 0,
  batches: 0,
  readings: 0,
  late: 0,
  unfinished: 0,
  erased: 0,
});

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
  /** What is known of devices; without it nothing is said of them. */
  readonly devices?: Devices | undefined;
  readonly epochLength: number;
  readonly surroundings: Surroundings;
  /** Whether it was declared erased; undefined where that is said elsewhere. */
  readonly isErased?: (digest: Uint8Array) => boolean;
  /** Whether less than whole epochs is looked at, so that nothing is said of their being complete. */
  readonly isPart?: boolean;
}

/** Batches that are under way at a time, and that are looked at before anything is said of them. */
const [UNDER_WAY, GROUP] = [8, 64] as const;

interface Listed {
  readonly epoch: number;
  readonly n: number;
  readonly found: Found;
}

/** What came of one batch. */
interface Looked {
  readonly listed: Listed;
  readonly findings: readonly Finding[];
  /** Whether its header or its batch is gone and was declared erased. */
  readonly erased: boolean;
  /** Undefined when it did not open. */
  readonly opened: OpenedHeader | undefined;
  /** Whether its readings are as signed. */
  readonly checked: boolean;
  readonly chunks: readonly Chunk[] | undefined;
}

/**
 * Checks what is listed of one generation, in the order of its places, and adds to the tally.
 *
 * @param inspected - As `verifyWindow` has it; without it no reading is made an object.
 * @throws as `verifyWindow`.
 */
export async function checkGeneration(
  places: Iterable<Listed>,
  reader: Pick<GenerationReader, "header" | "chunks" | "check">,
  facts: GenerationFacts,
  tally: Tally,
  inspected?: (opened: OpenedHeader, chunks: readonly Chunk[] | undefined) => void,
): Promise<void> {
  const { consent, epochLength, surroundings, isPart = false } = facts;
  const add = (...found: readonly Finding[]): void => {
    tally.findings.push(...found.map((finding) => ({ ...finding, gateway: consent.grantee })));
  };
  const opened: Pick<OpenedHeader, "place" | "header" | "found">[] = [];
  const unread: { epoch: number; digest: Uint8Array }[] = [];
  for (const group of groupsOf(places, inspected ? 1 : GROUP)) {
    const looked = await parallel(group, UNDER_WAY, (one) => lookAt(one, reader, facts, inspected !== undefined));
    for (const one of looked) {
      add(...one.findings);
      if (one.erased) tally.erased += 1;
      if (!one.opened) {
        unread.push({ epoch: one.listed.epoch, digest: one.listed.found.entry.header });
        continue;
      }
      const { place, header, found } = one.opened;
      opened.push({ place, header, found });
      inspected?.(one.opened, one.chunks);
      if (!one.checked) continue;
      tally.batches += 1;
      tally.readings += header.chunks.reduce((sum, { count }) => sum + count, 0);
    }
  }
  tally.headers += opened.length;
  tally.late += opened.filter(({ header }) => header.late).length;
  const { problems, unfinished } = checkWindow(opened, unread, surroundings);
  if (!isPart) tally.unfinished += unfinished;
  const byPlace = new Map(opened.map((one) => [`${one.place.epoch}/${one.place.n}`, one]));
  for (const { kind, epoch, n } of problems) {
    if (isPart && kind.startsWith("epoch-")) continue;
    add(problem(kind, byPlace.get(`${epoch}/${n}`)!, epochLength));
  }
}

async function lookAt(
  listed: Listed,
  reader: Pick<GenerationReader, "header" | "chunks" | "check">,
  { consent, intervals, epochLength, surroundings, isErased, devices }: GenerationFacts,
  withReadings: boolean,
): Promise<Looked> {
  const { epoch, n, found } = listed;
  const findings: Finding[] = [];
  let erased = false;
  const isWrong = (error: unknown, object: "header" | "batch"): void => {
    if (error instanceof BlockMissingError && isErased?.(found.entry[object])) erased = true;
    else findings.push(findingOf(error, object, { ...listed, epochLength }, surroundings.isKnown));
  };
  let opened: OpenedHeader;
  try {
    opened = await reader.header(epoch, n, found);
  } catch (error) {
    isWrong(error, "header");
    return { listed, findings, erased, opened: undefined, checked: false, chunks: undefined };
  }
  const leave = intervals && leaveProblem(opened.header, consent, intervals, found.anchored.time);
  if (leave !== undefined) findings.push(problem(leave, opened, epochLength));
  for (const kind of devices ? deviceProblems(opened.header, found.anchored.time, devices) : [])
    findings.push(problem(kind, opened, epochLength));
  let [checked, chunks]: [boolean, readonly Chunk[] | undefined] = [false, undefined];
  try {
    if (withReadings) {
      chunks = await reader.chunks(opened);
      checked = chunks !== undefined;
    } else checked = await reader.check(opened);
  } catch (error) {
    isWrong(error, "batch");
  }
  return { listed, findings, erased, opened, checked, chunks };
}

function* filtered<T>(items: Iterable<T>, wanted: (item: T) => boolean): Generator<T> {
  for (const item of items) if (wanted(item)) yield item;
}

function* groupsOf<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function* listed(
  keys: GenerationKeys,
  { from, to }: ReadRequest,
  reader: GenerationReader,
  progress: (share: number) => void,
): Generator<Listed> {
  const epochs = epochsOf(keys.stream, from, to);
  for (let epoch = epochs.from; epoch < epochs.to; epoch++) {
    progress((epoch - epochs.from) / (epochs.to - epochs.from));
    for (let n = 0; ; n++) {
      const found = reader.find(epoch, n);
      if (!found) break;
      yield { epoch, n, found };
    }
  }
}

function problem(
  kind: HeaderProblem,
  { place, found }: Pick<OpenedHeader, "place" | "found">,
  epochLength: number,
): Finding {
  const cid = cidOf(found.entry.header);
  const checkpoint = found.anchored.index;
  const text = `header ${cid} of checkpoint ${checkpoint}${placeText(place, epochLength)} ${PROBLEMS[kind]}`;
  return { kind, object: "header", cid, checkpoint, text, span: spanOf(place.epoch, epochLength) };
}

/** Which batch of its generation, for people. */
export function placeText({ epoch, n }: Pick<BatchPlace, "epoch" | "n">, epochLength: number): string {
  const at = new Date(epoch * epochLength * 1000).toISOString().replace(".000Z", "Z");
  return ` (epoch from ${at}, number ${n})`;
}

const spanOf = (epoch: number, epochLength: number): { from: number; to: number } => ({
  from: epoch * epochLength,
  to: (epoch + 1) * epochLength,
});

function findingOf(
  error: unknown,
  object: ObjectKind,
  { epoch, n, found: { entry, anchored }, epochLength }: Listed & { readonly epochLength: number },
  isAnchored: (digest: Uint8Array) => boolean,
): Finding {
  const place = placeText({ epoch, n }, epochLength);
  const span = spanOf(epoch, epochLength);
  const digest = object === "header" ? entry.header : entry.batch;
  const checkpoint = anchored.index;
  if (error instanceof BlockMissingError || error instanceof BlockAlteredError)
    return { ...blockFinding(error, { digest, object, checkpoint, place }, isAnchored), span };
  if (!(error instanceof MedSealError) || error.exit !== EXIT.refused) throw error;
  const cid = cidOf(digest);
  const kind: FindingKind = error instanceof SignatureInvalidError ? "signature-invalid" : "invalid";
  const text = `${object} ${cid} of checkpoint ${checkpoint}${place}: ${error.message}`;
  return { kind, object, cid, checkpoint, text, span };
}
