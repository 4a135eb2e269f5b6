import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { utf8 } from "../../src/bytes/bytes.ts";
import { ChainUnavailableError } from "../../src/chain/errors.ts";
import { DiskFullError } from "../../src/feed/errors.ts";
import { Feed } from "../../src/feed/feed.ts";
import type { Answer } from "../../src/feed/intake.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { StoreUnavailableError } from "../../src/ipfs/errors.ts";
import { JournalFailedError, type Rows } from "../../src/state/rows.ts";
import { twinRows } from "../../src/state/twin.ts";
import { DyingRows, openRig, outside, PaperRows, recordOf, type Outside, type Rig } from "./rig.ts";
import { failureOf } from "./times.ts";
import { EPOCH, EPOCHS, reading, START } from "./ward.ts";

const SOURCE = { name: "bed-7", credential: "", devices: [{ name: "m" }] };

/** What a process is told to do wrong. */
interface Ways {
  chainAway: boolean;
  storeAway: boolean;
  full: boolean;
}

interface Site {
  readonly feed: Feed;
  readonly gateway: Gateway;
  readonly ways: Ways;
  readonly held: number[];
}

/** Messages of a day without chain and store. */
const A_DAY = 4_800;

const message = (counter: number, seconds: readonly number[]): Uint8Array =>
  utf8(
    JSON.stringify({
      device: "m",
      counter,
      readings: seconds.map((second) => {
        const { channel, time, value } = reading(second);
        const number = value.kind === "quantity" ? Number(value.decimal) : null;
        return { code: channel.code.code, unit: channel.unit, value: number, effective: time };
      }),
    }),
  );

describe("a feed", () => {
  let rig: Rig;
  let lease: Uint8Array;
  before(async () => {
    rig = await openRig("feed");
    lease = await rig.lease(rig.write.id);
  });
  beforeEach(() => {
    rig.ways.time = START;
  });

  /** A process that begins: a gateway and its feed, over what the last one left. */
  function opened(at: Outside, rows: Rows = at.rows): Site {
    const ways = { chainAway: false, storeAway: false, full: false };
    const held: number[] = [];
    const deps = rig.deps(at);
    const feed = new Feed({
      rows,
      secret: deps.keys.secret,
      skew: 300,
      grace: 0,
      now: () => rig.ways.time,
      timeOf: (block) => Promise.resolve(START + block),
      room: () => (ways.full ? Promise.reject(new DiskFullError()) : Promise.resolve()),
      events: {
        stored: () => undefined,
        quarantined: () => undefined,
        refused: () => undefined,
        failed: () => undefined,
        held: (readings) => void held.push(readings),
        reached: () => undefined,
      },
    });
    const { watch, blocks } = deps;
    const gateway = new Gateway({
      ...deps,
      rows,
      latenessBound: 3600,
      watch: {
        ended: (ref) => watch.ended(ref),
        inForce: (ref) => watch.inForce(ref),
        intervals: (ref) => watch.intervals(ref),
        refresh: () => (ways.chainAway ? Promise.reject(new ChainUnavailableError()) : watch.refresh()),
      },
      blocks: new Proxy(blocks, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          if (ways.storeAway && name === "putMany") return () => Promise.reject(new StoreUnavailableError("away"));
          return member.bind(target) as unknown;
        },
      }),
      oldestWaiting: feed.oldestWaiting,
    });
    feed.open(gateway);
    return { feed, gateway, ways, held };
  }

  const leased = async (): Promise<Outside> => {
    const at = outside();
    await opened(at).gateway.acceptLease(lease);
    return at;
  };

  const secondsOf = async (at: Outside): Promise<number[]> => {
    const batches = await recordOf(rig, at);
    const times = batches.flatMap(({ chunks }) => (chunks ?? []).flatMap(({ observations }) => observations));
    return times.map(({ time }) => Date.parse(time) / 1000 - START).sort((a, b) => a - b);
  };

  const count = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

  it("loses nothing it acknowledged and doubles nothing, whichever write of the journal was its last", async () => {
    const start = await leased();
    let points = 0;
    for (const moment of ["before", "after"] as const) {
      for (let fatal = 0; ; fatal++) {
        const at = { ...outside(), rows: new PaperRows(start.rows.rows) };
        const dying = new DyingRows(at.rows, fatal, moment);
        const answers = new Map<number, string>();
        const life = async ({ feed, gateway }: Site): Promise<void> => {
          for (let counter = 0; counter < 6; counter++) {
            rig.ways.time = START + 5 * counter;
            const { level }: Answer = await feed.take(SOURCE, message(counter, [4 * counter, 4 * counter + 1]));
            if (answers.get(counter) !== "acknowledged" && level !== "refused") answers.set(counter, "acknowledged");
            if (counter % 2 === 1) await feed.seal();
            if (counter === 3) await gateway.checkpoint();
          }
        };
        await life(opened(at, dying)).catch((error: unknown) => {
          if (!(error instanceof JournalFailedError)) throw error;
        });
        const crashed = dying.writes > fatal;
        const acknowledged = [...answers.keys()];
        const next = opened(at);
        rig.ways.time = START + EPOCHS * EPOCH;
        const sealed = acknowledged.flatMap((counter) => [4 * counter, 4 * counter + 1]);
        await next.feed.seal();
        await next.gateway.drain();
        expect(await secondsOf(at), `${moment} ${fatal}`).to.include.members(sealed);
        // The device sends all of it again.
        for (let counter = 0; counter < 6; counter++) {
          const { level } = await next.feed.take(SOURCE, message(counter, [4 * counter, 4 * counter + 1]));
          expect(level).to.be.oneOf(["stored", "replicated", "anchored"]);
        }
        await next.feed.seal();
        await next.gateway.drain();
        await next.feed.update();
        expect(await secondsOf(at), `${moment} ${fatal}`).to.deep.equal(
          count(6).flatMap((counter) => [4 * counter, 4 * counter + 1]),
        );
        if (!crashed) break;
        points += 1;
      }
    }
    expect(points).to.be.greaterThan(20);
  });

  it("stores while chain and store are away, and everything drains in order afterwards", async () => {
    const at = await leased();
    const { feed, gateway, ways } = opened(at);
    const fails = async (work: Promise<unknown>, code: string): Promise<void> => {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.include({ code, exit: 4 });
    };
    ways.chainAway = true;
    for (let second = 0; second < 3 * EPOCH; second++) {
      rig.ways.time = START + second;
      expect((await feed.take(SOURCE, message(second, [second]))).level).to.equal("stored");
      if (second % 10 === 9) await fails(feed.seal(), "ERR_CHAIN_UNAVAILABLE");
    }
    expect(feed.counts).to.include({ messages: 30, unsealed: 30 });
    ways.chainAway = false;
    ways.storeAway = true;
    await feed.seal();
    await fails(gateway.checkpoint(), "ERR_STORE_UNAVAILABLE");
    for (let second = 3 * EPOCH; second < 4 * EPOCH; second++) await feed.take(SOURCE, message(second, [second]));
    rig.ways.time = START + 4 * EPOCH;
    await feed.seal();
    await fails(gateway.checkpoint(), "ERR_STORE_UNAVAILABLE");
    ways.storeAway = false;
    await gateway.drain();
    await feed.update();
    await gateway.checkpoint();
    await feed.update();
    expect(feed.counts).to.include({ unsealed: 0, underWay: 0 });
    expect(await secondsOf(at)).to.deep.equal(count(4 * EPOCH));
    const sequences = (await recordOf(rig, at)).map(({ header }) => header.sequence);
    expect(sequences).to.deep.equal(count(sequences.length));
  });

  it("keeps keys that readings of an outage longer than the lateness bound need", async () => {
    const at = await leased();
    await opened(at).feed.take(SOURCE, message(0, [1, 2]));
    // The leave to write lasts a day, so the bound is made shorter than that.
    rig.ways.time = START + 86_000;
    // Begun anew, with nothing known of what waits.
    const next = opened(at);
    await next.gateway.checkpoint();
    await next.feed.seal();
    expect(next.held).to.deep.equal([]);
    await next.gateway.drain();
    expect(await secondsOf(at)).to.deep.equal([1, 2]);
    // Now nothing needs them any more.
    await next.gateway.checkpoint();
    await next.gateway.checkpoint();
    const late = await next.feed.take(SOURCE, message(1, [3]));
    expect(late).to.deep.include({ level: "quarantined", quarantined: [{ index: 0, code: "ERR_TOO_LATE" }] });
  });

  it("refuses new readings when the disk is full, and seals and anchors what it has", async () => {
    const at = await leased();
    const { feed, gateway, ways } = opened(at);
    await feed.take(SOURCE, message(0, [0, 1]));
    const refused = { level: "refused", code: "ERR_DISK_FULL", counter: 1 };
    ways.full = true;
    expect(await feed.take(SOURCE, message(1, [2]))).to.include(refused);
    // Seen by nobody before the journal itself finds no room.
    ways.full = false;
    const apply = at.rows.apply.bind(at.rows);
    at.rows.apply = () => Promise.reject(new JournalFailedError(new Error("database or disk is full"), true));
    expect(await feed.take(SOURCE, message(1, [2]))).to.include(refused);
    at.rows.apply = apply;
    ways.full = true;
    await feed.seal();
    await gateway.drain();
    ways.full = false;
    expect((await feed.take(SOURCE, message(1, [2]))).level).to.equal("stored");
    rig.ways.time = START + EPOCH;
    await feed.seal();
    await gateway.drain();
    expect(await secondsOf(at)).to.deep.equal([0, 1, 2]);
  });

  it("keeps what was acknowledged and may not be written any more apart, and says so", async () => {
    const at = await leased();
    const { feed, held } = opened(at);
    await feed.take(SOURCE, message(0, [0, 1, 2]));
    rig.watch.endedIds.add(rig.write.id);
    try {
      await feed.seal();
    } finally {
      rig.watch.endedIds.delete(rig.write.id);
    }
    expect(held).to.deep.equal([3]);
    expect([...feed.quarantine()]).to.have.length(1);
    expect(feed.counts.unsealed).to.equal(0);
  });

  it("stores through a day without chain and store in memory that does not grow, and everything drains in order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "medseal-feed-"));
    const at = outside();
    const rows = twinRows(join(folder, "journal.sqlite"));
    const { feed, gateway, ways } = opened(at, rows);
    await gateway.acceptLease(lease);
    ways.chainAway = true;
    ways.storeAway = true;
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heap: number[] = [];
    for (let hour = 0; hour < 24; hour++) {
      rig.ways.time = START + 3600 * hour;
      const some = count(A_DAY / 24).map((i) =>
        feed.take(SOURCE, message((A_DAY / 24) * hour + i, [i % (EPOCHS * EPOCH)])),
      );
      for (const { level } of await Promise.all(some)) expect(level).to.equal("stored");
      expect(await failureOf(feed.seal())).to.include({ code: "ERR_CHAIN_UNAVAILABLE" });
      expect(await failureOf(gateway.checkpoint())).to.include({ code: "ERR_STORE_UNAVAILABLE" });
      collect();
      heap.push(process.memoryUsage().heapUsed);
    }
    // What came after the sixth hour would take some 2 MB as its lines alone.
    expect((heap[23] as number) - (heap[5] as number)).to.be.lessThan(1 << 20);
    expect(feed.counts.unsealed).to.equal(A_DAY);
    ways.chainAway = false;
    ways.storeAway = false;
    expect(await feed.seal()).to.equal(A_DAY);
    await gateway.drain();
    expect(await secondsOf(at)).to.have.length(A_DAY);
    const batches = await recordOf(rig, at);
    expect(batches.map(({ header }) => header.sequence)).to.deep.equal(count(batches.length));
    await gateway.close();
    await rm(folder, { recursive: true });
  });
});
