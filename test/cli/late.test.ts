import { readFile, rename, stat } from "node:fs/promises";
import { expect } from "chai";
import { FeedClient, type Sent, type Told } from "./feed.ts";
import { HEART_RATE, openLiveWard } from "./live-ward.ts";
import type { RunningGateway } from "./running.ts";
import { sharedChain } from "./shared-chain.ts";
import { World } from "./world.ts";

const DEVICE = "monitor-7";

/** Epochs of a second, forgotten soon after they are over. */
const SETTINGS = { lateness: "1s", grace: "0s" };

describe("readings that come too late", function () {
  this.timeout(300_000);
  let world: World;
  let gateway: RunningGateway;
  let client: FeedClient;
  let counter = 0;
  const at = (second: number): string => new Date(second * 1000).toISOString().replace(".000Z", "Z");
  const send = (second: number, more: object = {}): Promise<Told> => {
    const reading = { code: "8867-4", unit: "/min", value: 77, effective: at(second), ...more };
    const message: Sent = { device: DEVICE, counter: counter++, readings: [reading] };
    return client.send(message);
  };
  const anchored = (): Promise<void> =>
    gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.has(counter - 1) === true));

  /** Until the keys of a second are forgotten, which a checkpoint does, as far as was sealed before it. */
  async function forgotten(second: number): Promise<void> {
    let [after, last] = [second + 3, 0];
    // The third was begun, and what lies before it sealed, when all of that was over.
    for (let checkpoints = 0; checkpoints < 3; checkpoints++, after = last + 1)
      await gateway.until(async () => {
        last = (JSON.parse(await gateway.page("/status")) as { last: { anchor: number | null } }).last.anchor ?? 0;
        return last >= after;
      });
  }

  before(async () => {
    world = await World.open(await sharedChain(), { inTurn: true });
    const ward = {
      source: `bed-7:${DEVICE}`,
      streams: HEART_RATE,
      hours: [1, 2],
      epoch: "1s",
      settings: SETTINGS,
    } as const;
    gateway = await openLiveWard(world, ward);
    client = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
  });
  after(async () => {
    client?.close();
    await gateway?.stop();
    await world.close();
  });

  it("go to the patient sealed; one command files them, and readers see them as late", async () => {
    const second = Math.floor(Date.now() / 1000);
    // In time, however long it takes to get there: of a minute that is still to come.
    const inTime = await send(second + 60);
    expect(inTime).to.include({ level: "stored" }).and.not.have.property("late");
    await anchored();
    await forgotten(second);
    expect(await send(second)).to.deep.include({ level: "stored", late: [0] });
    await anchored();
    const listed = (await world.json("late list --gateway Gateway --as Ann")) as { waiting: unknown[]; filed: number };
    expect(listed).to.deep.include({ filed: 0, forged: 0, unreadable: 0 });
    expect(listed.waiting).to.deep.equal([{ stream: "heart-rate", readings: 1, from: second, to: second + 1 }]);
    const words = await world.run("late file --gateway Gateway --out late.filed --as Ann");
    expect(words)
      .to.match(/heart-rate: 1 reading/)
      .and.to.match(/due to Lee/);
    await rename(world.path("late.filed"), gateway.spool("late.filed"));
    await world.run("release --to Lee --out lee.later --as Ann");
    for (const file of ["lee.release", "lee.later"]) await world.run(`inbox --file ${file} --as Lee`);
    const window = `--from ${at(second)} --to ${at(second + 1)}`;
    let late = 0;
    await gateway.until(async () => {
      const report = (await world.json(`verify --stream heart-rate ${window} --as Lee`)) as {
        late: number;
        ok: boolean;
      };
      expect(report.ok).to.equal(true);
      late = report.late;
      return late > 0;
    });
    expect(late).to.equal(1);
    const lines = (await world.run(`read --stream heart-rate ${window} --as Lee`)).trim().split("\r\n").slice(1);
    expect(lines.at(-1)).to.include(at(second));
    expect((await world.try("late file --gateway Gateway --out again.filed --as Ann")).err).to.match(
      /ERR_NOTHING_LATE/,
    );
  });

  it("and what is kept apart is counted by reason, written out for its owner alone, and let go of", async () => {
    expect((await send(Math.floor(Date.now() / 1000), { value: "a lot" })).level).to.equal("quarantined");
    expect((await send(Math.floor(Date.now() / 1000), { code: "59408-5", unit: "%" })).level).to.equal("quarantined");
    client.close();
    await gateway.stop();
    const reasons = { ERR_NUMBER: 1, ERR_NO_LEASE: 1 };
    expect(await world.json("gateway quarantine --as Gateway")).to.deep.equal({ rows: 2, reasons, dropped: 0 });
    expect((await world.try("gateway quarantine --drop --as Gateway")).exit).to.equal(2);
    const out = "gateway quarantine --reason ERR_NUMBER --out apart.ndjson --drop --as Gateway";
    expect(await world.run(out)).to.match(/1 row let go of/);
    expect((await stat(world.path("apart.ndjson"))).mode & 0o777).to.equal(0o600);
    const [line = ""] = (await readFile(world.path("apart.ndjson"), "utf8")).split("\n");
    expect(JSON.parse(line)).to.deep.include({ device: DEVICE, notTaken: [{ index: 0, code: "ERR_NUMBER" }] });
    expect(await world.json("gateway quarantine --as Gateway")).to.deep.include({
      rows: 1,
      reasons: { ERR_NO_LEASE: 1 },
    });
    await gateway.start();
  });
});
