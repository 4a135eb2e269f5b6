import { hex } from "../../src/bytes/bytes.ts";
import { epochKeys } from "../../src/keys/cover.ts";
import { chunkRoot, itemDigest, statementDigest, type ChunkItem, type Statement } from "../../src/log/chunk.ts";
import type { Entry } from "../../src/log/checkpoint.ts";
import { sealBatch, type BatchPlace } from "../../src/log/sealed-batch.ts";
import { generateSigningKey, sign } from "../../src/keys/signature.ts";
import { formatInstant } from "../../src/observation/instant.ts";
import { chance } from "../../scripts/deep/chance.ts";
import { EPOCH_LENGTH, FIRST_EPOCH, makeSample, type Sample } from "../../scripts/deep/sample.ts";

export const EPOCHS = 6;
const from = chance("window", "world");
const device = generateSigningKey(from.bytes);
const thief = generateSigningKey(from.bytes);
const empty = makeSample("window", { streams: 1, epochs: EPOCHS, readings: 0, mail: 0 });

/** One header as its gateway writes it; epochs count from the first of the recording. */
export interface Written {
  readonly epoch: number;
  readonly n?: number;
  readonly last?: boolean;
  readonly late?: boolean;
  /** What it says in place of what is true. */
  readonly says?: {
    readonly sequence?: number;
    readonly previous?: Uint8Array;
    readonly counter?: bigint;
    readonly statementBefore?: Uint8Array;
    /** Signed by somebody else than the device that it names. */
    readonly forged?: boolean;
  };
}

/** A generation in order: epoch 3 in two batches, and one that came late for epoch 1. */
export const IN_ORDER: readonly Written[] = [
  { epoch: 0 },
  { epoch: 1 },
  { epoch: 2 },
  { epoch: 3, last: false },
  { epoch: 3, n: 1 },
  { epoch: 4 },
  { epoch: 1, n: 1, late: true },
  { epoch: 5 },
];

/** A gateway that hides epoch 1 and marks all others late, as if the patient had filed them. */
export const ALL_LATE: readonly Written[] = [0, 2, 3, 4, 5].map((epoch) => ({ epoch, late: true }));

/** What is in order with other words in some of it, by position. */
export const saying = (changes: Readonly<Record<number, Partial<Written>>>): Written[] =>
  IN_ORDER.map((one, i) => ({ ...one, ...changes[i] }));

export interface World {
  readonly sample: Sample;
  /** In the order of `Written`. */
  readonly entries: readonly Entry[];
}

/** Seals what a gateway writes, and lists it in one checkpoint. @param leftOut - Positions that it never anchors. */
export function world(written: readonly Written[], leftOut: readonly number[] = []): World {
  const [keys] = empty.streams as [Sample["streams"][number]];
  const [dataKey, auditKey] = [epochKeys(keys.data!), epochKeys(keys.audit)];
  const blocks = new Map<string, Uint8Array>();
  const entries: Entry[] = [];
  let before: Statement | undefined;
  for (const [i, { epoch: at, n = 0, last = true, late = false, says = {} }] of written.entries()) {
    const epoch = FIRST_EPOCH + at;
    const chunk = {
      seed: from.bytes(32),
      clock: { kind: "source" } as const,
      observations: [0, 1].map((second) => ({
        channel: keys.stream.channels[0]!,
        time: formatInstant({ seconds: epoch * EPOCH_LENGTH + second, fraction: "", offset: "Z" }),
        status: "final" as const,
        value: { kind: "quantity" as const, decimal: "70", comparator: "" as const },
      })),
    };
    const item = { stream: keys.stream.id, epoch, count: 2, root: chunkRoot(chunk) };
    const statement = signed(item, says.counter ?? BigInt(i), says.statementBefore ?? digestOf(before), says.forged);
    const links = {
      sequence: says.sequence ?? i,
      previous: says.previous ?? entries[i - 1]?.header ?? new Uint8Array(32),
      continues: new Uint8Array(32),
      last,
      late,
    };
    const place: BatchPlace = { ...empty.place, stream: keys.stream.id, generation: keys.generation, epoch, n };
    const sealed = sealBatch(
      [{ ...chunk, statement, index: 0 }],
      { data: dataKey(epoch), audit: auditKey(epoch) },
      place,
      keys.stream,
      links,
    );
    blocks.set(hex(sealed.entry.header), sealed.header).set(hex(sealed.entry.batch), sealed.batch);
    entries.push(sealed.entry);
    before = statement;
  }
  const listed = entries.filter((_, i) => !leftOut.includes(i));
  return { sample: { ...empty, blocks, checkpoints: [{ entries: listed, mail: [] }] }, entries };
}

const digestOf = (statement: Statement | undefined): Uint8Array =>
  statement ? statementDigest(statement) : new Uint8Array(32);

function signed(item: ChunkItem, counter: bigint, previous: Uint8Array, forged = false): Statement {
  const unsigned = { deviceKey: device.publicKey, firmware: 1, counter, previous, items: [itemDigest(item)] };
  return { ...unsigned, signature: sign((forged ? thief : device).privateKey, statementDigest(unsigned)) };
}
