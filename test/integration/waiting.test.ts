import { EventEmitter, once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import type { CheckpointAnchor } from "../../src/chain/anchor.ts";
import type { Receipt } from "../../src/gateway/anchor.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { JournalFailedError, type RowChange } from "../../src/state/rows.ts";
import { openRig, outside, PaperAnchor, PaperRows, record, recordOf, type Outside, type Rig } from "./rig.ts";
import { failureOf } from "./times.ts";
import { EPOCH } from "./ward.ts";

/** A chain that takes a transaction into a block when it is told to, and tells its head when it is told to. */
class SlowAnchor extends PaperAnchor {
  readonly events = new EventEmitter();
  asleep = false;

  override async head(): Promise<{ head: Uint8Array; block: number }> {
    if (this.asleep) {
      const woken = once(this.events, "woken");
      this.events.emit("asked");
      await woken;
    }
    return super.head();
  }

  override async anchor(checkpoint: CheckpointAnchor, expectedHead: Uint8Array): Promise<Receipt | undefined> {
    const block = once(this.events, "block");
    this.events.emit("sent");
    await block;
    return super.anchor(checkpoint, expectedHead);
  }
}

/** A disk that has no room for one change, and is long about it. */
class FullRows extends PaperRows {
  readonly events = new EventEmitter();
  full = false;

  override async apply(changes: readonly RowChange[]): Promise<void> {
    if (!this.full) return super.apply(changes);
    this.full = false;
    const over = once(this.events, "over");
    this.events.emit("begun");
    await over;
    throw new JournalFailedError(new Error("no room"), true);
  }
}

describe("sealing and a checkpoint at the same time", () => {
  let rig: Rig;
  const open = async (at: Outside): Promise<Gateway> => {
    rig = await openRig("waiting");
    const gateway = new Gateway(rig.deps(at));
    await gateway.acceptLease(await rig.lease());
    return gateway;
  };

  /** A checkpoint that gets its block at once. */
  async function anchored(gateway: Gateway, { events }: SlowAnchor): Promise<void> {
    const sent = once(events, "sent");
    const checkpoint = gateway.checkpoint();
    await sent;
    events.emit("block");
    await checkpoint;
  }

  it("ends are heeded, and readings sealed, while a transaction waits for its block", async () => {
    const anchor = new SlowAnchor();
    const at = { ...outside(), anchor };
    const gateway = await open(at);
    const lee = rig.consent(await rig.newParty("Dr Lee"));
    await gateway.acceptLease(await rig.lease());
    await rig.release(lee.id);
    await record(gateway, rig, 0, 1);
    const sent = once(anchor.events, "sent");
    const checkpoint = gateway.checkpoint();
    await sent;

    rig.watch.endedIds.add(lee.id);
    expect(await gateway.retireEnded()).to.be.greaterThan(0);
    await record(gateway, rig, 1, 2);
    expect(anchor.history, "no block has come yet").to.have.lengthOf(0);

    anchor.events.emit("block");
    await checkpoint;
    await anchored(gateway, anchor);
    const batches = await recordOf(rig, at);
    const readings = batches.flatMap(({ chunks }) => (chunks ?? []).flatMap(({ observations }) => observations));
    expect(readings).to.have.lengthOf(2 * EPOCH);
    expect(new Set(batches.map(({ header }) => header.generation)).size, "the second lies under the spare").to.equal(2);
  });

  it("a batch that found no room is in no checkpoint", async () => {
    const [anchor, rows] = [new SlowAnchor(), new FullRows()];
    const at = { ...outside(), anchor, rows };
    const gateway = await open(at);
    anchor.asleep = true;
    const asked = once(anchor.events, "asked");
    const checkpoint = gateway.checkpoint();
    await asked;
    rows.full = true;
    const begun = once(rows.events, "begun");
    const failure = failureOf(record(gateway, rig, 0, 1));
    await begun;
    // What the next checkpoint holds is decided on while the batch is in memory and not on the disk.
    anchor.asleep = false;
    const sent = once(anchor.events, "sent");
    anchor.events.emit("woken");
    await pause(50);
    rows.events.emit("over");
    expect((await failure).code).to.equal("ERR_JOURNAL_FAILED");
    await sent;
    anchor.events.emit("block");
    const [first] = await checkpoint;
    expect(first?.own).to.have.lengthOf(0);
    await record(gateway, rig, 0, 1);
    await anchored(gateway, anchor);
    const batches = await recordOf(rig, at);
    expect(
      batches.flatMap(({ chunks }) => (chunks ?? []).flatMap(({ observations }) => observations)),
    ).to.have.lengthOf(EPOCH);
  });
});
