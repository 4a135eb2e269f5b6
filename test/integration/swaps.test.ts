import { expect } from "chai";
import { equal, hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { FIRST, readCheckpoint } from "../../src/archive/checkpoints.ts";
import { openEnvelope } from "../../src/envelope/envelope.ts";
import { MedSealError } from "../../src/errors.ts";
import { readInbox } from "../../src/grantee/inbox.ts";
import { MemoryStore } from "../../src/ipfs/memory.ts";
import { headerKey } from "../../src/keys/epoch.ts";
import { encodeCheckpoint, type Checkpoint, type Entry } from "../../src/log/checkpoint.ts";
import { decodeHeader, encodeHeader, HEADER_SIZE, type Header } from "../../src/log/header.ts";
import { mayBeMine } from "../../src/log/mail.ts";
import { openBatch, openHeader, type BatchPlace } from "../../src/log/sealed-batch.ts";
import { encodeContext } from "../../src/seal/context.ts";
import { pad, unpad } from "../../src/seal/padding.ts";
import { open, seal } from "../../src/seal/seal.ts";
import { EPOCH_LENGTH, swapWorld, type Anchored, type Sealed } from "./swap-world.ts";

type Read = Pick<Sealed, "place" | "keys" | "entry" | "header" | "batch">;

const openedHeaders = new WeakMap<Entry, Header>();

/** What a reader does with a batch; throws unless everything fits. Keeps the headers that it opened with nothing exchanged. */
function readBatch({ place, keys, entry, header, batch }: Read, original?: Sealed): void {
  const sameHeader = header === original?.header && keys.audit === original.keys.audit;
  const untouched = sameHeader && entry === original.entry && place === original.place;
  const known = untouched ? openedHeaders.get(entry) : undefined;
  const opened = known ?? openHeader(header, keys.audit, place, entry);
  if (untouched) openedHeaders.set(entry, opened);
  openBatch(batch, keys.data, place, opened, EPOCH_LENGTH);
}

/** Parts of a sealed block by their offsets. */
const PARTS = { salt: [0, 32], commitment: [32, 64], ciphertext: [64, -16], "GCM tag": [-16, undefined] } as const;

function spliced(block: Uint8Array, from: Uint8Array, part: keyof typeof PARTS): Uint8Array {
  const [start, end] = PARTS[part];
  const mixed = block.slice();
  mixed.set(from.slice(start, end), start < 0 ? block.length + start : start);
  return mixed;
}

const same = (a: unknown, b: unknown): boolean => flat(a) === flat(b);
const flat = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? hex(item) : typeof item === "bigint" ? String(item) : item,
  );

/** The fields that the reader of one batch can check; the others are facts about the rest of the generation, which an audit compares. */
const CHECKED: ReadonlySet<string> = new Set([
  "stream",
  "generation",
  "epoch",
  "n",
  "earliest",
  "latest",
  "batch",
  "chunks",
]);

const headerOf = ({ header, keys, place }: Sealed): Header =>
  decodeHeader(unpad(open(headerKey(keys.audit), encodeContext({ ...place, kind: "header" }), header)));

function* batchSwaps(a: Sealed, b: Sealed): Generator<[string, Read]> {
  const entry = (change: Partial<Entry>): Entry => ({ ...a.entry, ...change });
  yield ["header block", { ...a, header: b.header }];
  yield ["header block and its digest", { ...a, header: b.header, entry: entry({ header: b.entry.header }) }];
  yield ["batch block", { ...a, batch: b.batch }];
  yield ["batch block and its digest", { ...a, batch: b.batch, entry: entry({ batch: b.entry.batch }) }];
  yield ["entry", { ...a, entry: b.entry }];
  yield ["everything stored", { ...a, entry: b.entry, header: b.header, batch: b.batch }];
  for (const field of ["tag", "header", "batch"] as const)
    yield [`${field} of the entry`, { ...a, entry: entry({ [field]: b.entry[field] }) }];
  for (const part of Object.keys(PARTS) as (keyof typeof PARTS)[]) {
    const header = spliced(a.header, b.header, part);
    yield [`header's ${part}`, { ...a, header, entry: entry({ header: sha256(header) }) }];
    yield [`batch's ${part}`, { ...a, batch: spliced(a.batch, b.batch, part) }];
  }
  for (const field of Object.keys(a.place) as (keyof BatchPlace)[])
    yield [`context's ${field}`, { ...a, place: { ...a.place, [field]: b.place[field] } }];
  yield ["data key", { ...a, keys: { ...a.keys, data: b.keys.data } }];
  yield ["audit key", { ...a, keys: { ...a.keys, audit: b.keys.audit } }];

  const [own, other] = [headerOf(a), headerOf(b)];
  for (const field of Object.keys(own) as (keyof Header)[]) {
    const changed = encodeHeader({ ...own, [field]: other[field] });
    const context = encodeContext({ ...a.place, kind: "header" });
    const header = seal(headerKey(a.keys.audit), context, pad(changed, [HEADER_SIZE]));
    yield [`header field ${field}, sealed again after anchoring`, { ...a, header }];
    if (CHECKED.has(field))
      yield [
        `header field ${field}, sealed and anchored so`,
        { ...a, header, entry: entry({ header: sha256(header) }) },
      ];
  }
}

/** Counts refusals by code; anything but a typed refusal is a failure. */
class Tally {
  tried = 0;
  readonly codes = new Map<string, number>();

  async refuses(what: string, attempt: () => unknown): Promise<void> {
    this.tried++;
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof MedSealError)) throw new Error(`${what}: not a typed refusal`, { cause: error });
      this.codes.set(error.code, (this.codes.get(error.code) ?? 0) + 1);
      return;
    }
    expect.fail(`${what}: was taken`);
  }

  print(): void {
    const codes = [...this.codes].map(([code, count]) => `${count} ${code}`).join(", ");
    console.log(`      ${this.tried} swaps tried, all refused: ${codes}`);
  }
}

/** Everything by default takes a minute; so only pairs that differ in one respect or in all, unless `MEDSEAL_SWAPS=all`. */
const EVERY_PAIR = process.env["MEDSEAL_SWAPS"] === "all";

function isPaired(a: Sealed, b: Sealed): boolean {
  const respects = ["stream", "generation", "epoch", "gateway"] as const;
  const deployment = ({ place }: Sealed): unknown => [place.chainId, place.anchor];
  const differing = respects.filter((field) => !same(a.place[field], b.place[field])).length;
  const apart = differing + (same(deployment(a), deployment(b)) ? 0 : 1);
  return EVERY_PAIR ? apart > 0 : apart === 1 || apart === respects.length + 1;
}

describe("swapping", () => {
  let batches: Sealed[];
  let checkpoints: Anchored[];
  before(async () => {
    ({ batches, checkpoints } = await swapWorld());
  });

  it("nothing, everything opens", async () => {
    for (const batch of batches) readBatch(batch, batch);
    for (const { place, anchored, block, posted, checkpoint } of checkpoints) {
      const store = new MemoryStore();
      for (const each of [block, ...posted.map((one) => one.block)]) await store.put(each);
      expect(await readCheckpoint(anchored, FIRST, place, (digest) => store.get(digest))).to.deep.include({ index: 0 });
      for (const [i, { to, at }] of posted.entries()) {
        const row = checkpoint.mail[i] as Checkpoint["mail"][0];
        expect(
          (await readInbox([row], { hpke: to.hpke, viewSecret: to.viewSecret }, at, (digest) => store.get(digest)))
            .releases,
        ).to.have.length(1);
      }
    }
  });

  it("any part of two batches between patients, generations, epochs, gateways, chains or contracts is refused", async () => {
    const tally = new Tally();
    for (const a of batches) {
      for (const b of batches) {
        for (const [what, read] of isPaired(a, b) ? batchSwaps(a, b) : []) {
          // What the two have in common is no swap.
          const { place, keys, entry, header, batch } = a;
          if (same(read, { ...read, place, keys, entry, header, batch })) continue;
          await tally.refuses(what, () => readBatch(read, a));
        }
      }
    }
    tally.print();
    expect(tally.tried).to.be.greaterThan(10_000);
  });

  it("any field, entry or mail row of two checkpoints is refused", async () => {
    const tally = new Tally();
    for (const a of checkpoints) {
      for (const b of checkpoints) {
        if (a === b) continue;
        const served = (block: Uint8Array) => (digest: Uint8Array) => {
          const store = new MemoryStore();
          store.alter(digest, block);
          return store.get(digest);
        };
        const swapped: [string, Partial<Checkpoint>][] = [
          ...(["chainId", "anchor", "gateway"] as const).map((f): [string, Partial<Checkpoint>] => [
            f,
            { [f]: b.checkpoint[f] },
          ]),
          ...a.checkpoint.mail.flatMap((row, i) =>
            (["envelope", "ephemeral", "viewTag"] as const).map((f): [string, Partial<Checkpoint>] => {
              const other = b.checkpoint.mail[i] as typeof row;
              return [`mail row's ${f}`, { mail: a.checkpoint.mail.with(i, { ...row, [f]: other[f] }) }];
            }),
          ),
          ["all mail", { mail: b.checkpoint.mail }],
          ...a.checkpoint.entries.flatMap((entry, i) =>
            (["header", "batch"] as const).map((f): [string, Partial<Checkpoint>] => {
              const other = b.checkpoint.entries[i] as Entry;
              return [`entry's ${f}`, { entries: a.checkpoint.entries.with(i, { ...entry, [f]: other[f] }) }];
            }),
          ),
        ];
        for (const [what, change] of swapped) {
          const { block } = encodeCheckpoint({ ...a.checkpoint, ...change });
          if (equal(block, a.block)) continue;
          await tally.refuses(what, () => readCheckpoint(a.anchored, FIRST, a.place, served(block)));
          if (what.startsWith("mail") || what === "all mail") continue;
          // As if the gateway had anchored the digest of the altered block.
          const anchored = { ...a.anchored, digest: sha256(block) };
          await tally.refuses(`${what}, anchored so`, () => readCheckpoint(anchored, FIRST, a.place, served(block)));
        }
        await tally.refuses("whole checkpoint", () => readCheckpoint(b.anchored, FIRST, a.place, served(b.block)));
      }
    }
    tally.print();
    expect(tally.tried).to.be.greaterThan(500);
  });

  it("mail rows and envelopes between parties, chains and contracts is refused", async () => {
    const tally = new Tally();
    const posted = checkpoints.flatMap(({ posted: own, checkpoint }) =>
      own.map((one, i) => ({ ...one, row: checkpoint.mail[i] as Checkpoint["mail"][0] })),
    );
    for (const a of posted) {
      for (const b of posted) {
        if (a === b) continue;
        const elsewhere = a.to !== b.to || !same(a.at, b.at);
        if (elsewhere) await tally.refuses("envelope", () => openEnvelope(b.block, a.to.hpke, a.at));
        // 19 bytes of name, 4 of sizes, 32 of enc.
        for (const [what, start, end] of [
          ["enc", 23, 55],
          ["ciphertext", 55, undefined],
        ] as const) {
          const mixed = a.block.slice();
          mixed.set(b.block.slice(start, end), start);
          await tally.refuses(`envelope's ${what}`, () => openEnvelope(mixed, a.to.hpke, a.at));
        }
        const store = new MemoryStore();
        store.alter(a.row.envelope, b.block);
        const keys = { hpke: a.to.hpke, viewSecret: a.to.viewSecret };
        await tally.refuses("envelope under another's digest", async () => {
          const { releases, unreadable } = await readInbox([a.row], keys, a.at, (d) => store.get(d));
          const [error] = unreadable.map((row) => row.error);
          if (releases.length === 0 && error) throw error;
        });
        if (a.to !== b.to && mayBeMine(b.row, a.to.viewSecret))
          await tally.refuses("mail row that fits by chance", () => openEnvelope(b.block, a.to.hpke, a.at));
      }
    }
    tally.print();
    expect(tally.tried).to.be.greaterThan(400);
  });
});
