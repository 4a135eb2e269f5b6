import { expect } from "chai";
import { hex } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { Archive } from "../../src/archive/archive.ts";
import type { DeviceRecord, Devices, Recall } from "../../src/archive/devices.ts";
import { compareHistories } from "../../src/auditor/compare.ts";
import { verifyWindow, type WindowReport } from "../../src/auditor/window.ts";
import type { AnchoredCheckpoint } from "../../src/chain/anchor.ts";
import { ACTIONS } from "../../src/consent/actions.ts";
import type { Consent } from "../../src/consent/consent.ts";
import type { InForce } from "../../src/consent/watch.ts";
import type { GenerationKeys } from "../../src/envelope/payload.ts";
import type { Access } from "../../src/grantee/access.ts";
import { gapsIn, readStream, type ReadBatch, type ReaderDeps } from "../../src/grantee/read.ts";
import { cidOf } from "../../src/ipfs/cid.ts";
import { StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { epochKeys } from "../../src/keys/cover.ts";
import { headerKey } from "../../src/keys/epoch.ts";
import type { Entry } from "../../src/log/checkpoint.ts";
import { encodeHeader, HEADER_SIZE } from "../../src/log/header.ts";
import { openHeader, type BatchPlace } from "../../src/log/sealed-batch.ts";
import { encodeContext } from "../../src/seal/context.ts";
import { pad } from "../../src/seal/padding.ts";
import { seal } from "../../src/seal/seal.ts";
import { anchored, EPOCH_LENGTH, FIRST_EPOCH, START } from "../../scripts/deep/sample.ts";
import { storeOf, type Changes } from "../../scripts/deep/verifiers.ts";
import { failureOf } from "./times.ts";
import { ALL_LATE, EPOCHS, IN_ORDER, saying, world, type World } from "./window-world.ts";

interface Asked {
  /** Epochs, counted from the first of the recording. */
  readonly from?: number;
  readonly to?: number;
  readonly changes?: Changes;
  readonly keys?: Partial<GenerationKeys>;
  readonly consent?: Partial<Consent>;
  readonly intervals?: readonly InForce[];
  /** Block time of the anchor. */
  readonly time?: number;
  readonly outage?: boolean;
  readonly devices?: Devices;
  /** Digests of blocks that a checkpoint declares erased. */
  readonly erased?: readonly Uint8Array[];
}

const audit = async (at: World, asked: Asked = {}): Promise<WindowReport> => {
  const { access, request, deps } = await asking(at, asked);
  return verifyWindow(access, request, deps, undefined, { devices: asked.devices });
};

/** Where a reader of the window is told that the record is not whole. */
async function gaps(at: World, asked: Asked = {}): Promise<string[]> {
  const { access, request, deps } = await asking(at, asked);
  const batches: ReadBatch[] = [];
  for await (const batch of readStream(access, request, deps)) batches.push(batch);
  return gapsIn(batches, access, request, deps).map(({ kind }) => kind);
}

async function asking({ sample }: World, asked: Asked) {
  const { from = 0, to = EPOCHS, changes, time = START + EPOCHS * EPOCH_LENGTH } = asked;
  const declared = (asked.erased ?? []).map((digest) => ({ entries: [PADDING], mail: [], erased: [digest] }));
  const { history, blocks } = anchored(sample, [...sample.checkpoints, ...declared]);
  const read = storeOf(blocks, changes);
  const archive = new Archive(sample.place, read);
  await archive.update(history.map((one): AnchoredCheckpoint => ({ ...one, time })));
  const [own] = sample.streams as [GenerationKeys];
  const write = { ...own.write, consent: { ...own.write.consent, ...asked.consent } };
  const release = { chain: [] };
  const access = { release, link: { consent: {} }, keys: [{ ...own, ...asked.keys, write }] } as unknown as Access;
  const deps = {
    archiveOf: () => archive,
    read: asked.outage ? () => Promise.reject(new StoreUnavailableError("away")) : read,
    watch: { intervals: () => asked.intervals ?? [{ from: 0 }] },
    ask: () => Promise.resolve(true),
  } as unknown as ReaderDeps;
  const [start, end] = [from, to].map((epoch) => START + epoch * EPOCH_LENGTH) as [number, number];
  return { access, deps, request: { stream: own.stream.id, from: start, to: end, purpose: "TREAT" } };
}

const PADDING: Entry = { tag: sha256(), header: sha256(Uint8Array.of(1)), batch: sha256(Uint8Array.of(2)) };

/** Kind, object and the position of the block among what was written. */
const named = ({ findings }: WindowReport, { entries }: World): string[] =>
  findings.map(({ kind, object, cid }) => {
    const at = entries.findIndex(({ header, batch }) => [header, batch].some((one) => cidOf(one) === cid));
    return `${kind} ${object} ${at}`;
  });

describe("an audit of a window with keys", () => {
  const whole = world(IN_ORDER);

  it("finds nothing in a record that is in order, in whatever window", async () => {
    expect(await audit(whole)).to.deep.equal({
      ok: true,
      headers: 8,
      batches: 8,
      readings: 16,
      late: 1,
      unfinished: 0,
      erased: 0,
      findings: [],
    });
    for (let from = 0; from < EPOCHS; from++)
      for (let to = from + 1; to <= EPOCHS; to++)
        expect(named(await audit(whole, { from, to }), whole), `${from} to ${to}`).to.deep.equal([]);
  });

  it("tells a reader of no gap where there is none, and of each that there is", async () => {
    for (let from = 0; from < EPOCHS; from++)
      for (let to = from + 1; to <= EPOCHS; to++)
        expect(await gaps(whole, { from, to }), `${from} to ${to}`).to.deep.equal([]);
    expect(await gaps(world(saying({ 7: { last: false } })))).to.deep.equal([]);
    expect(await gaps(world(IN_ORDER, [2]))).to.deep.equal(["header-missing", "epoch-missing"]);
    expect(await gaps(world(IN_ORDER, [0]), { from: 1 })).to.deep.equal(["header-missing"]);
  });

  it("reads headers only with keys to audit", async () => {
    expect(await audit(whole, { keys: { data: undefined } })).to.include({
      ok: true,
      headers: 8,
      batches: 0,
      readings: 0,
    });
  });

  it("names each block, altered, cut short, missing or swapped, and blames no other, in whatever window", async () => {
    for (const [i, entry] of whole.entries.entries()) {
      const { epoch } = IN_ORDER[i]!;
      for (const object of ["header", "batch"] as const) {
        const bytes = whole.sample.blocks.get(hex(entry[object]))!;
        const other = whole.sample.blocks.get(hex(whole.entries[(i + 1) % 8]![object]))!;
        const damage: Record<string, Uint8Array | undefined> = {
          altered: bytes.with(700, bytes[700]! ^ 1),
          truncated: bytes.subarray(0, 500),
          missing: undefined,
          swapped: other,
        };
        for (const [kind, change] of Object.entries(damage)) {
          const changes = new Map([[hex(entry[object]), change]]);
          for (const [from, to] of [
            [0, EPOCHS],
            [epoch, epoch + 1],
            [0, epoch + 1],
            [epoch, EPOCHS],
          ] as const)
            expect(named(await audit(whole, { changes, from, to }), whole)).to.deep.equal([`${kind} ${object} ${i}`]);
        }
      }
    }
  });

  it("blames nobody else for two headers that cannot be read", async () => {
    for (let first = 0; first < 8; first++)
      for (let second = first + 1; second < 8; second++) {
        const gone = [first, second].map((i) => [hex(whole.entries[i]!.header), undefined] as const);
        const found = named(await audit(whole, { changes: new Map(gone) }), whole).sort();
        expect(found).to.deep.equal([`missing header ${first}`, `missing header ${second}`]);
      }
  });

  // A header behind number 0 of its epoch is looked for only when that one is there.
  const leftOut: Record<number, string[]> = {
    0: ["header-missing header 1"],
    1: ["header-missing header 0", "header-missing header 5", "epoch-missing header 0"],
    2: ["header-missing header 1", "epoch-missing header 6"],
    3: ["header-missing header 2", "epoch-missing header 2"],
    4: ["header-missing header 3", "epoch-open header 3"],
    5: ["header-missing header 4", "epoch-missing header 4"],
    6: ["header-missing header 5"],
  };
  for (const [i, expected] of Object.entries(leftOut))
    it(`shows the gap, when the gateway never anchored number ${i}`, async () => {
      const cut = world(IN_ORDER, [Number(i)]);
      expect(named(await audit(cut), cut).sort()).to.deep.equal(expected.sort());
    });

  const stranger = sha256();
  const lies: Record<string, { changes: Parameters<typeof saying>[0]; expected: string[] }> = {
    "two headers have one sequence number": {
      changes: { 5: { says: { sequence: 4 } }, 6: { says: { sequence: 5 } }, 7: { says: { sequence: 6 } } },
      expected: ["header-repeated header 5"],
    },
    "a header names another one before it": {
      changes: { 2: { says: { previous: stranger } } },
      expected: ["header-replaced header 2"],
    },
    "an epoch is never said to be complete": { changes: { 2: { last: false } }, expected: ["epoch-open header 2"] },
    "a late header does not say that it is late": {
      changes: { 6: { late: false } },
      expected: ["late-unmarked header 6"],
    },
    "a device's counter stands still": {
      changes: { 3: { says: { counter: 2n } } },
      expected: ["statement-repeated header 3"],
    },
    "a device's statement names another one before it": {
      changes: { 3: { says: { statementBefore: stranger } } },
      expected: ["statement-replaced header 3"],
    },
  };
  for (const [what, { changes, expected }] of Object.entries(lies))
    it(`names the header, when ${what}`, async () => {
      const lying = world(saying(changes));
      expect(named(await audit(lying), lying).sort()).to.deep.equal([...expected].sort());
    });

  it("counts the newest epoch as unfinished when no header says that it is complete", async () => {
    const open = world(saying({ 7: { last: false } }));
    expect(await audit(open)).to.deep.include({ ok: true, unfinished: 1, findings: [] });
  });

  it("names a batch whose header says other times than it has", async () => {
    const { sample, entries } = whole;
    const [keys] = sample.streams as [GenerationKeys];
    const epoch = FIRST_EPOCH + 5;
    const place: BatchPlace = { ...sample.place, stream: keys.stream.id, generation: keys.generation, epoch, n: 0 };
    const auditKey = epochKeys(keys.audit)(epoch);
    const entry = entries[7] as Entry;
    const header = openHeader(sample.blocks.get(hex(entry.header))!, auditKey, place, entry);
    const plain = pad(encodeHeader({ ...header, latest: header.latest + 1 }), [HEADER_SIZE]);
    const block = seal(headerKey(auditKey), encodeContext({ ...place, kind: "header" }), plain);
    const lying = [...entries.slice(0, 7), { ...entry, header: sha256(block) }];
    const blocks = new Map(sample.blocks).set(hex(sha256(block)), block);
    const at = { sample: { ...sample, blocks, checkpoints: [{ entries: lying, mail: [] }] }, entries: lying };
    expect(named(await audit(at), at)).to.deep.equal(["invalid batch 7"]);
  });

  it("names headers that open under no key of their place", async () => {
    const [one, other] = [whole.entries[2]!, whole.entries[4]!];
    const entries = whole.entries.map((entry) =>
      entry === one ? { ...other, tag: one.tag } : entry === other ? { ...one, tag: other.tag } : entry,
    );
    const at = { sample: { ...whole.sample, checkpoints: [{ entries, mail: [] }] }, entries };
    expect(named(await audit(at), at).sort()).to.deep.equal(["invalid header 2", "invalid header 4"]);
  });

  const all = (kind: string, positions = [0, 1, 2, 3, 4, 5, 6, 7]): string[] =>
    positions.map((i) => `${kind} header ${i}`);
  const end = START + 5 * EPOCH_LENGTH;
  const leave: Record<string, { asked: Asked; expected: string[] }> = {
    "the consent lets nobody write": { asked: { consent: { actions: ACTIONS.READ } }, expected: all("not-a-leave") },
    "its times lie outside the consent's window": {
      asked: { consent: { dataEnd: end } },
      expected: ["outside-window header 7"],
    },
    "it was anchored before the consent was in force": {
      asked: { intervals: [{ from: START + 366 * 86_400 - 1 }] },
      expected: all("anchored-before-leave"),
    },
    "its times lie after the consent ended": {
      asked: { intervals: [{ from: 0, until: end }], time: end },
      expected: ["after-leave-ended header 7"],
    },
    "it was anchored long after the consent ended": {
      asked: {
        intervals: [{ from: 0, until: START + EPOCHS * EPOCH_LENGTH }],
        time: START + (EPOCHS + 2) * EPOCH_LENGTH,
      },
      expected: all("anchored-late"),
    },
  };
  for (const [what, { asked, expected }] of Object.entries(leave))
    it(`names each header without leave, when ${what}`, async () => {
      expect(named(await audit(whole, asked), whole).sort()).to.deep.equal(expected);
    });

  it("names the header whose statement somebody else has signed, and blames no neighbour", async () => {
    for (const i of IN_ORDER.keys()) {
      const forged = world(saying({ [i]: { says: { forged: true } } }));
      expect(named(await audit(forged), forged)).to.deep.equal([`signature-invalid header ${i}`]);
    }
  });

  it("names the epoch that a gateway hid by marking all others late, and takes the patient's word alone for filed", async () => {
    const hiding = world(ALL_LATE);
    expect(named(await audit(hiding), hiding)).to.deep.equal(["epoch-missing header 0"]);
    expect(await gaps(hiding)).to.deep.equal(["epoch-missing"]);
    const filed = { role: "filed" } as const;
    expect(await audit(hiding, { keys: filed })).to.deep.include({ ok: true, late: 5 });
    expect(await gaps(hiding, { keys: filed })).to.deep.equal([]);
    const inTime = world(ALL_LATE.map((one, i) => ({ ...one, late: i !== 2 })));
    expect(await gaps(inTime, { keys: filed })).to.deep.equal(["late-unmarked"]);
  });

  it("takes what was declared erased for erased, unless it lies there altered, and blames no neighbour", async () => {
    for (const [i, entry] of whole.entries.entries()) {
      for (const object of ["header", "batch"] as const) {
        const digest = entry[object];
        const gone = new Map([[hex(digest), undefined]]);
        const report = await audit(whole, { changes: gone, erased: [digest] });
        expect(report, `${object} ${i}`).to.deep.include({ ok: true, erased: 1, findings: [] });
        expect(named(await audit(whole, { changes: gone }), whole)).to.deep.equal([`missing ${object} ${i}`]);
        const altered = new Map([[hex(digest), new Uint8Array(1024)]]);
        expect(named(await audit(whole, { changes: altered, erased: [digest] }), whole)).to.deep.equal([
          `altered ${object} ${i}`,
        ]);
      }
    }
  });

  describe("asks what a registry says of the device, and", () => {
    const time = START + EPOCHS * EPOCH_LENGTH;
    const known = (changes: DeviceRecord["changes"], recalls: readonly Recall[] = []): Devices => ({
      recordOf: () => ({ modelId: `0x${"11".repeat(32)}`, changes }),
      recallsOf: () => recalls,
    });
    const active = { time: START, status: "active" } as const;
    const notice = { firmwareFrom: 1, firmwareTo: 3, anchoredFrom: 0 };
    const cases: Record<string, [Devices, string | undefined]> = {
      "says nothing of one that is active": [known([active]), undefined],
      "says nothing of one that was never enrolled": [{ ...known([]), recordOf: () => undefined }, undefined],
      "says nothing of one that ended only after the anchor": [
        known([active, { time: time + 1, status: "retired" }]),
        undefined,
      ],
      "says nothing of one that was resumed before the anchor": [
        known([active, { time: time - 9, status: "suspended" }, { time, status: "active" }]),
        undefined,
      ],
      "names what was anchored while it was suspended": [
        known([active, { time, status: "suspended" }, { time: time + 1, status: "active" }]),
        "device-suspended",
      ],
      "names what was anchored after it was retired": [
        known([active, { time, status: "suspended" }, { time, status: "retired" }]),
        "device-retired",
      ],
      "names what was anchored before it was enrolled": [
        known([{ time: time + 1, status: "active" }]),
        "device-not-enrolled",
      ],
      "names what a recalled firmware signed": [known([active], [notice]), "device-recalled"],
      "says nothing of another firmware": [
        known(
          [active],
          [
            { ...notice, firmwareFrom: 2 },
            { ...notice, firmwareFrom: 0, firmwareTo: 0 },
          ],
        ),
        undefined,
      ],
      "says nothing of what was anchored before a recall concerns it": [
        known([active], [{ ...notice, anchoredFrom: time + 1 }]),
        undefined,
      ],
    };
    for (const [what, [devices, kind]] of Object.entries(cases)) {
      it(what, async () => {
        const expected = kind === undefined ? [] : IN_ORDER.map((_, i) => `${kind} header ${i}`);
        expect(named(await audit(whole, { devices }), whole).sort()).to.deep.equal(expected);
      });
    }
  });

  it("comes to no verdict without the store, or beyond the keys", async () => {
    expect(await failureOf(audit(whole, { outage: true }))).to.include({ code: "ERR_STORE_UNAVAILABLE", exit: 4 });
    expect(await failureOf(audit(whole, { to: EPOCHS + 1 }))).to.include({ code: "ERR_OUTSIDE_COVER" });
  });
});

describe("two auditors who compare checkpoints", () => {
  const shown = (entries: readonly Entry[][]): readonly AnchoredCheckpoint[] => {
    const { sample } = world(IN_ORDER);
    return anchored(
      sample,
      entries.map((one) => ({ entries: one, mail: [] })),
    ).history;
  };
  const { entries } = world(IN_ORDER);
  const [first, second, third] = [entries.slice(0, 3), entries.slice(3, 6), entries.slice(6)];

  it("agree when one has seen more than the other", () => {
    const long = shown([first, second, third]);
    expect(compareHistories(long, long.slice(0, 1))).to.deep.equal([]);
    expect(compareHistories([], long)).to.deep.equal([]);
    expect(compareHistories(long, long)).to.deep.equal([]);
  });

  it("find where they were shown different histories, whatever the heads say that came with them", () => {
    const one = shown([first, second, third]);
    const other = shown([first, second.slice(1), third]);
    const forged = other.map((anchor, i) => ({ ...anchor, head: one[i]!.head }));
    for (const told of [other, forged])
      expect(compareHistories(one, told).map(({ kind, checkpoint, cid }) => [kind, checkpoint, cid])).to.deep.equal([
        ["forked", 1, cidOf(one[1]!.digest)],
        ["forked", 1, cidOf(told[1]!.digest)],
      ]);
  });
});
