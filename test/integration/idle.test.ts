import { expect } from "chai";
import { checkChain } from "../../src/archive/chain.ts";
import { Feed } from "../../src/feed/feed.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { LeasedStream } from "../../src/gateway/leave.ts";
import { utf8 } from "../../src/bytes/bytes.ts";
import { sha256 } from "../../src/bytes/hash.ts";
import { JournalFailedError, type Rows } from "../../src/state/rows.ts";
import { DyingRows, openRig, outside, PaperRows, record, recordOf, type Outside, type Rig } from "./rig.ts";
import { EPOCH, reading, START } from "./ward.ts";

const clock = { kind: "source" } as const;

describe("epochs between what was recorded", () => {
  let rig: Rig;
  let lease: Uint8Array;
  let at: Outside;
  let gateway: Gateway;

  before(async () => {
    rig = await openRig("idle");
    lease = await rig.lease();
  });
  beforeEach(async () => {
    rig.ways.time = START;
    at = outside();
    gateway = new Gateway(rig.deps(at));
    await gateway.acceptLease(lease);
  });

  const leased = (): LeasedStream => ({ write: rig.write.id, stream: rig.stream });

  /** Epochs in the order of their headers, "-" behind the idle and "late" behind the late ones; and what an audit finds. */
  async function audited(where = at): Promise<{ epochs: string[]; problems: string[] }> {
    await gateway.drain();
    const batches = await recordOf(rig, where);
    const epochs = batches.map(({ header, chunks }) => {
      const mark = header.late ? " late" : chunks?.length === 0 ? " -" : "";
      return `${header.epoch - START / EPOCH}${mark}`;
    });
    const links = batches.map(({ header, found }) => ({ header, found }));
    const written = links.filter((_, i) => !epochs[i]?.endsWith("-"));
    // The same without the headers of idle epochs is not in order.
    if (written.length < links.length)
      expect(
        checkChain(written).map(({ kind }) => kind),
        "an audit looks for them",
      ).to.include("epoch-missing");
    return { epochs, problems: checkChain(links).map(({ kind }) => kind) };
  }

  it("get empty headers when the second recording is through, whichever of the two is older", async () => {
    await record(gateway, rig, 0, 1);
    await record(gateway, rig, 4, 6);
    expect(await audited()).to.deep.equal({ epochs: ["0", "4", "5", "1 -", "2 -", "3 -"], problems: [] });
    const other = outside();
    gateway = new Gateway(rig.deps(other));
    await gateway.acceptLease(lease);
    await record(gateway, rig, 3, 5);
    await record(gateway, rig, 0, 1);
    expect(await audited(other)).to.deep.equal({ epochs: ["3", "4", "0", "1 -", "2 -"], problems: [] });
  });

  it("are left to an import that is open, and does not come late to them", async () => {
    const session = gateway.ingest(leased(), { clock });
    await session.add(reading(0));
    await record(gateway, rig, 4, 5);
    await session.add(reading(EPOCH));
    await session.add(reading(2 * EPOCH));
    await session.finish();
    expect(await audited()).to.deep.equal({ epochs: ["4", "0", "1", "2", "3 -"], problems: [] });
  });

  it("get theirs once, whichever write of the journal was a process's last", async () => {
    const before = new PaperRows(at.rows.rows);
    let points = 0;
    for (const moment of ["before", "after"] as const) {
      for (let fatal = 0; ; fatal++) {
        at = { ...outside(), rows: new PaperRows(before.rows) };
        const dying = new DyingRows(at.rows, fatal, moment);
        const life = async (rows: Rows): Promise<void> => {
          gateway = new Gateway({ ...rig.deps(at), rows });
          for (const [name, epoch] of [
            ["first", 0],
            ["second", 4],
          ] as const) {
            const session = gateway.ingest(leased(), { clock, source: sha256(utf8(name)) });
            await session.add(reading(epoch * EPOCH));
            await session.finish();
          }
        };
        await life(dying).catch((error: unknown) => {
          if (!(error instanceof JournalFailedError)) throw error;
        });
        const crashed = dying.writes > fatal;
        await life(at.rows);
        const { epochs, problems } = await audited();
        expect(problems, `${moment} ${fatal}`).to.deep.equal([]);
        expect(epochs, `${moment} ${fatal}`).to.have.members(["0", "1 -", "2 -", "3 -", "4"]);
        if (!crashed) break;
        points += 1;
      }
    }
    expect(points).to.be.greaterThan(6);
  });

  it("take a third recording, which is late to them, and whose keys are forgotten as any", async () => {
    rig.ways.time = START + 10 * EPOCH;
    gateway = new Gateway(rig.deps(at));
    await gateway.acceptLease(await rig.lease());
    await record(gateway, rig, 0, 1);
    await record(gateway, rig, 5, 6);
    await gateway.drain();
    await gateway.checkpoint();
    await record(gateway, rig, 2, 4);
    expect(await audited()).to.deep.equal({
      epochs: ["0", "5", "1 -", "2 -", "3 -", "4 -", "2 late", "3 late"],
      problems: [],
    });
    await gateway.checkpoint();
    for (const [epoch, code] of [
      [1, undefined],
      [2, "ERR_TOO_LATE"],
      [5, "ERR_TOO_LATE"],
    ] as const) {
      const admit = (): void => gateway.admission(leased())(reading(epoch * EPOCH));
      if (code === undefined) admit();
      else expect(admit).to.throw().with.property("code", code);
    }
  });

  it("stay without where their keys are forgotten, and nothing fails for that", async () => {
    gateway = new Gateway({ ...rig.deps(at), latenessBound: EPOCH });
    await record(gateway, rig, 0, 1);
    await gateway.drain();
    rig.ways.time = START + 4 * EPOCH;
    await gateway.checkpoint();
    await record(gateway, rig, 5, 6);
    expect(await audited()).to.deep.equal({ epochs: ["0", "5", "3 -", "4 -"], problems: ["epoch-missing"] });
  });

  it("and older ones than a live stream began with are complete as well", async () => {
    const deps = rig.deps(at);
    const nothing = (): void => undefined;
    const feed = new Feed({
      rows: new PaperRows(),
      secret: deps.keys.secret,
      skew: 300,
      grace: 0,
      now: () => rig.ways.time,
      timeOf: (block) => Promise.resolve(START + block),
      room: () => Promise.resolve(),
      events: {
        stored: nothing,
        quarantined: nothing,
        refused: nothing,
        failed: nothing,
        held: nothing,
        reached: nothing,
      },
    });
    feed.open(gateway);
    const source = { name: "bed-7", credential: "", devices: [{ name: "m" }] };
    const sends = async (counter: number, second: number): Promise<void> => {
      const { channel, time } = reading(second);
      const readings = [{ code: channel.code.code, unit: channel.unit, value: 70, effective: time }];
      await feed.take(source, utf8(JSON.stringify({ device: "m", counter, readings })));
      await feed.seal();
    };
    rig.ways.time = START + 4 * EPOCH + 1;
    await sends(0, 4 * EPOCH);
    await sends(1, 0);
    rig.ways.time = START + 6 * EPOCH;
    await sends(2, 5 * EPOCH);
    expect(await audited()).to.deep.equal({ epochs: ["4", "0", "1 -", "2 -", "3 -", "4 -", "5"], problems: [] });
  });
});
