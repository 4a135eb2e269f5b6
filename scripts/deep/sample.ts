import { Wallet } from "ethers";
import { compare, fromHex, hex, hex0x } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { FIRST_HEAD, headAfter, type AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import { NO_PARENT, type Consent, type Hex } from "../../src/consent/consent.ts";
import { ENVELOPE_CLASS } from "../../src/envelope/envelope.ts";
import type { GenerationKeys } from "../../src/envelope/payload.ts";
import { coverOf, epochKeys } from "../../src/keys/cover.ts";
import { generateSigningKey } from "../../src/keys/signature.ts";
import {
  checkpointRoot,
  encodeCheckpoint,
  type CheckpointPlace,
  type Entry,
  type MailRow,
} from "../../src/log/checkpoint.ts";
import { chunkRoot } from "../../src/log/chunk.ts";
import { sealBatch, type HeaderLinks } from "../../src/log/sealed-batch.ts";
import { freshSigner, signStatement } from "../../src/log/signer.ts";
import { formatInstant } from "../../src/observation/instant.ts";
import type { Observation } from "../../src/observation/observation.ts";
import { chance, type Chance } from "./chance.ts";

export const EPOCH_LENGTH = 3600;
/** 2026-02-01T00:00:00Z. */
export const START = 1_769_904_000;
export const FIRST_EPOCH = START / EPOCH_LENGTH;

/** One batch as its gateway sealed it. */
export interface SampleBatch {
  readonly stream: number;
  readonly epoch: number;
  readonly entry: Entry;
}

/** A gateway's archive with all that its readers hold. */
export interface Sample {
  readonly place: CheckpointPlace;
  /** A patient's stream each, with keys to read. */
  readonly streams: readonly GenerationKeys[];
  readonly batches: readonly SampleBatch[];
  /** The sealed blocks, by digest in hex. */
  readonly blocks: ReadonlyMap<string, Uint8Array>;
  /** What stands in each checkpoint. */
  readonly checkpoints: readonly Listed[];
  readonly epochs: number;
}

/** A checkpoint before its gateway links it. */
export interface Listed {
  readonly entries: readonly Entry[];
  readonly mail: readonly MailRow[];
  /** Ascending; none without it. */
  readonly erased?: readonly Uint8Array[];
}

export interface Shape {
  readonly streams: number;
  readonly epochs: number;
  /** Readings of one batch. */
  readonly readings: number;
  readonly mail: number;
  readonly chainId?: bigint;
}

/** The same archive for the same seed and shape, but for the chain it is made for. */
export function makeSample(seed: string, { streams, epochs, readings, mail, chainId = 31337n }: Shape): Sample {
  const from = chance(seed, "sample");
  const gateway = new Wallet(hex0x(from.bytes(32))).address as Hex;
  const place = { chainId, anchor: from.bytes(20), gateway: fromHex(gateway) };
  const blocks = new Map<string, Uint8Array>();
  const batches: SampleBatch[] = [];
  const made = Array.from({ length: streams }, (_, stream) => {
    const keys = generationOf(from, gateway, epochs);
    for (const [epoch, { entry, header, batch }] of seal(from, keys, place, epochs, readings).entries()) {
      blocks.set(hex(entry.header), header).set(hex(entry.batch), batch);
      batches.push({ stream, epoch, entry });
    }
    return keys;
  });
  const half = Math.ceil(epochs / 2);
  const checkpoints = [0, half].map((first) => ({
    entries: batches.filter(({ epoch }) => (epoch < half ? 0 : half) === first).map(({ entry }) => entry),
    mail: Array.from({ length: mail }, () => {
      const envelope = from.bytes(ENVELOPE_CLASS);
      blocks.set(hex(sha256(envelope)), envelope);
      return { envelope: sha256(envelope), ephemeral: from.bytes(32), viewTag: from.int(256) };
    }),
  }));
  return { place, streams: made, batches, blocks, checkpoints: checkpoints.filter(isNeeded), epochs };
}

const isNeeded = ({ entries }: Listed): boolean => entries.length > 0;

function generationOf(from: Chance, gateway: Hex, epochs: number): GenerationKeys {
  const channel = { code: { system: "http://loinc.org", code: "8867-4" }, unit: "/min" };
  const stream = {
    id: from.bytes(32),
    name: "heart-rate",
    channels: [channel],
    epochLength: EPOCH_LENGTH,
    batchClass: 0,
  };
  const period = { periodStart: START, periodEnd: START + 366 * 86_400 };
  const consent: Consent = {
    grantor: new Wallet(hex0x(from.bytes(32))).address as Hex,
    grantee: gateway,
    scope: hex0x(stream.id),
    purpose: "TREAT",
    dataStart: START,
    dataEnd: START + epochs * EPOCH_LENGTH,
    ...period,
    actions: ACTIONS.WRITE,
    parent: NO_PARENT,
    salt: hex0x(from.bytes(32)),
    statement: "",
  };
  const cover = (): GenerationKeys["audit"] => coverOf(from.bytes(32), FIRST_EPOCH, FIRST_EPOCH + epochs);
  return { stream, generation: 1, role: "current", write: { consent, streams: [] }, data: cover(), audit: cover() };
}

/** The batches of one generation, one an epoch, each header following on the one before. */
function seal(
  from: Chance,
  { stream, generation, data, audit }: GenerationKeys,
  place: CheckpointPlace,
  epochs: number,
  readings: number,
): ReturnType<typeof sealBatch>[] {
  const device = generateSigningKey(from.bytes);
  const signer = freshSigner();
  const [dataKey, auditKey] = [epochKeys(data!), epochKeys(audit)];
  const sealed: ReturnType<typeof sealBatch>[] = [];
  for (let i = 0; i < epochs; i++) {
    const epoch = FIRST_EPOCH + i;
    const observations = Array.from({ length: readings }, (_, at): Observation => ({
      channel: stream.channels[0]!,
      time: formatInstant({ seconds: epoch * EPOCH_LENGTH + at, fraction: "", offset: "Z" }),
      status: "final",
      value: { kind: "quantity", decimal: String(60 + from.int(40)), comparator: "" },
    }));
    const chunk = { seed: from.bytes(32), clock: { kind: "source" } as const, observations };
    const item = { stream: stream.id, epoch, count: readings, root: chunkRoot(chunk) };
    const statement = signStatement(device, 1, signer, [item]);
    const before = sealed.at(-1);
    const links: HeaderLinks = {
      sequence: i,
      previous: before ? before.entry.header : new Uint8Array(32),
      continues: new Uint8Array(32),
      last: true,
      late: false,
    };
    const keys = { data: dataKey(epoch), audit: auditKey(epoch) };
    const spot = { ...place, stream: stream.id, generation, epoch, n: 0 };
    sealed.push(sealBatch([{ ...chunk, statement, index: 0 }], keys, spot, stream, links));
  }
  return sealed;
}

export interface Anchored {
  readonly history: AnchoredCheckpoint[];
  readonly blocks: Map<string, Uint8Array>;
}

/** Links and anchors checkpoints as RecordAnchor would, whatever stands in them. */
export function anchored(sample: Sample, checkpoints = sample.checkpoints): Anchored {
  const blocks = new Map(sample.blocks);
  const history: AnchoredCheckpoint[] = [];
  for (const [index, { entries, mail, erased = [] }] of checkpoints.entries()) {
    const before = history.at(-1);
    const sorted = [...entries].sort((a, b) => compare(a.tag, b.tag));
    const { block, pages } = encodeCheckpoint({
      ...sample.place,
      index,
      headBefore: before?.head ?? FIRST_HEAD,
      previous: before?.digest ?? new Uint8Array(32),
      entries: sorted,
      mail,
      erased,
    });
    for (const one of [block, ...pages]) blocks.set(hex(sha256(one)), one);
    history.push(anchorOf(before, block, checkpointRoot(sorted), sorted.length));
  }
  return { history, blocks };
}

/** What the chain has of a checkpoint after `before`. */
export function anchorOf(
  before: AnchoredCheckpoint | undefined,
  block: Uint8Array,
  root: Uint8Array,
  size: number,
): AnchoredCheckpoint {
  const index = (before?.index ?? -1) + 1;
  const digest = sha256(block);
  const head = headAfter(before?.head ?? FIRST_HEAD, { root, digest, size });
  return { root, digest, size, index, head, block: index, time: START + 1, transaction: hex0x(sha256(digest)) };
}
