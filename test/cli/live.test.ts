import { readFile, rename, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { FeedClient, type Sent, type Told } from "./feed.ts";
import { HEART_RATE, openLiveWard } from "./live-ward.ts";
import type { RunningGateway } from "./running.ts";
import { sharedChain } from "./shared-chain.ts";
import { World } from "./world.ts";

const DEVICE = "monitor-7";

describe("a gateway that runs", function () {
  this.timeout(300_000);
  let world: World;
  let gateway: RunningGateway;
  let client: FeedClient;
  /** Now, when the first test begins: other files may come before this one. */
  let begin = 0;
  const at = (second: number): string => new Date((begin + second) * 1000).toISOString().replace(".000Z", "Z");
  const reading = (second: number, value: number | string = 60 + (second % 30), more: object = {}): object => ({
    code: "8867-4",
    unit: "/min",
    value,
    effective: at(second),
    ...more,
  });
  const message = (counter: number, readings: readonly object[], more: Partial<Sent> = {}): Sent => ({
    device: DEVICE,
    counter,
    readings,
    ...more,
  });

  before(async () => {
    begin = Math.floor(Date.now() / 1000);
    world = await World.open(await sharedChain(), { inTurn: true });
    gateway = await openLiveWard(world, { source: `bed-7:${DEVICE}`, streams: HEART_RATE, hours: [1, 2] });
    client = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
  });
  after(async () => {
    client?.close();
    await gateway?.stop();
    await world.close();
  });

  it("answers `stored` once a message is in the journal, `anchored` once it is final; Dr Lee reads every digit", async () => {
    // Counters decide on the order, not the arrival.
    const messages = [
      message(0, [reading(0, 71), reading(1, 72)]),
      message(2, [reading(4)]),
      message(1, [reading(2), reading(3)]),
    ];
    const answers = await client.sendTogether(messages);
    expect(answers.map(({ level, counter }) => [level, counter])).to.deep.equal([
      ["stored", 0],
      ["stored", 2],
      ["stored", 1],
    ]);
    await gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.size === 3));
    expect((await client.send(message(1, [reading(2), reading(3)]))).level).to.equal("anchored");
    const levels = client.told.filter(({ from }) => from === 0).map(({ level }) => level);
    expect(levels).to.deep.equal(["replicated", "anchored"]);
    const { block, blockTime, received } = (await world.json(
      `gateway status --device ${DEVICE} --counter 1 --as Gateway --config ${gateway.config}`,
    )) as { block: number; blockTime: number; received: number };
    expect(block).to.be.greaterThan(0);
    const about = `gateway status --device ${DEVICE} --as Gateway --config ${gateway.config}`;
    expect((await world.try(`${about} --counter abc`)).exit).to.equal(2);
    expect((await world.try(`${about} --counter 99`)).exit).to.equal(1);
    expect(blockTime).to.be.within(received - 60, received + 600);
    await world.run("inbox --file lee.release --as Lee");
    const lines = (await world.run("read --stream heart-rate --as Lee")).trim().split("\r\n").slice(1);
    expect(lines.map((line) => line.split(",")[0])).to.deep.equal([0, 1, 2, 3, 4].map(at));
    expect(lines.map((line) => line.split(",")[5]).slice(0, 2)).to.deep.equal(["71", "72"]);
  });

  it("quarantines what nobody may write, and tells the device which readings", async () => {
    const told = await client.send(message(3, [reading(5), reading(6, "x"), reading(7, 1, { unit: "%" })]));
    expect(told).to.deep.include({ level: "stored" });
    expect(told.quarantined?.map(({ index }) => index)).to.deep.equal([1, 2]);
    const none = await client.send(message(4, [reading(8, 1, { code: "9279-1" })]));
    expect(none).to.deep.include({ level: "quarantined", quarantined: [{ index: 0, code: "ERR_NO_LEASE" }] });
  });

  it("quarantines and reports a cloned device and an unknown one", async () => {
    expect(await client.send(message(0, [reading(0, 99)]))).to.include({
      level: "quarantined",
      code: "ERR_CLONED_DEVICE",
    });
    expect(await client.send({ ...message(0, [reading(0, 99)]), device: "stranger" })).to.include({
      level: "quarantined",
      code: "ERR_UNKNOWN_DEVICE",
    });
    const told = (): unknown[] => gateway.log("feed.quarantined").map(({ code }) => code);
    await gateway.until(() =>
      Promise.resolve(["ERR_CLONED_DEVICE", "ERR_UNKNOWN_DEVICE"].every((code) => told().includes(code))),
    );
    expect(gateway.stderr).not.to.include("stranger");
    expect(await gateway.page("/metrics")).to.match(/quarantined_total\{source="bed-7",code="ERR_CLONED_DEVICE"\} 1/);
  });

  it("flags a clock that is off, and takes the readings", async () => {
    const passed = (): number => Math.floor(Date.now() / 1000) - begin;
    const before = passed();
    const told = await client.send(message(5, [reading(9)], { sent: at(before + 7200) }));
    expect(told.level).to.equal("stored");
    expect(told.skew).to.be.within(before + 7200 - passed(), 7200);
  });

  it("turns away a wrong credential and a line that is too long", async () => {
    for (const credential of ["", "wrong", (await gateway.credential("bed-7")).slice(1)]) {
      const stranger = await FeedClient.open(gateway.feedPort, credential);
      await gateway.until(() => Promise.resolve(stranger.closed));
      expect(stranger.told).to.deep.equal([{ level: "refused", code: "ERR_CREDENTIAL" }]);
    }
    const long = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
    long.raw("x".repeat(3 << 20));
    await gateway.until(() => Promise.resolve(long.closed));
    // The line of the log may come after the end of the connection.
    await gateway.until(() =>
      Promise.resolve(gateway.log("feed.turned-away").some(({ code }) => code === "ERR_LINE_TOO_LONG")),
    );
  });

  it("refuses what is no message, and goes on", async () => {
    const before = client.told.length;
    client.raw('{"device":"monitor-7"}\nnot json\n');
    await gateway.until(() => Promise.resolve(client.told.length === before + 2));
    expect(client.told.slice(before).map(({ level, code }) => ({ level, code }))).to.deep.equal(
      Array<Told>(2).fill({ level: "refused", code: "ERR_MESSAGE" }),
    );
    expect((await client.send(message(6, [reading(10)]))).level).to.equal("stored");
  });

  it("moves to the spare on an end that is only signed, before it seals anything more", async () => {
    await world.run("consent revoke --to Lee --out lee.end --yes --as Ann");
    await rename(world.path("lee.end"), gateway.spool("lee.end"));
    await gateway.until(() => Promise.resolve(gateway.log("consent.ended").length === 1));
    expect((await client.send(message(7, [reading(11), reading(12)]))).level).to.equal("stored");
    await gateway.until(() => Promise.resolve(client.anchored.get(DEVICE)?.has(7) === true));
    const lines = await world.try("read --stream heart-rate --as Lee");
    expect(lines.out).not.to.include(at(11));
  });

  it("tells how it does in words, in numbers, and to who asks for its health; nothing of a reading", async () => {
    let words = "";
    // On a busy machine a checkpoint may take longer than three cadences of a second, and that is told.
    await gateway.until(async () => {
      words = await world.run(`gateway status --as Gateway --config ${gateway.config}`);
      return words.includes("healthy");
    });
    expect(words)
      .to.match(/7 messages taken/)
      .and.to.match(/up to counter 7/);
    await gateway.until(async () => (await gateway.page("/health")).trim() === '{"status":"ok","problems":[]}');
    expect(await gateway.page("/metrics")).to.match(/medseal_readings_stored_total\{source="bed-7"\} 10/);
    expect(`${gateway.stderr}${await gateway.page("/metrics")}`).not.to.match(/8867-4|heart-rate|0x[0-9a-f]{40}/);
  });

  it("keeps what it acknowledged when it is killed and when it is told to end, and knows it again", async () => {
    const last = Promise.all([8, 9, 10].map((counter) => client.send(message(counter, [reading(counter + 20)]))));
    expect((await last).map(({ level }) => level)).to.deep.equal(["stored", "stored", "stored"]);
    await gateway.kill();
    await gateway.start();
    client = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
    expect((await client.send(message(9, [reading(29)]))).level).to.match(/stored|replicated|anchored/);
    expect(await client.send(message(9, [reading(30)]))).to.include({ code: "ERR_CLONED_DEVICE" });
    expect(await gateway.stop()).to.equal(0);
    expect(gateway.log("gateway.stopped")).to.have.length(1);
    await gateway.start();
    client = await FeedClient.open(gateway.feedPort, await gateway.credential("bed-7"));
    await gateway.until(async () => (await client.send(message(10, [reading(30)]))).level === "anchored");
    const check = await world.try(`gateway status --as Gateway --config ${gateway.config}`);
    expect(check.out).to.match(/0 in the journal and not sealed yet/);
  });

  it("says before it runs that a node whose proofs do not hold is none for `attest`", async () => {
    expect(await gateway.stop()).to.equal(0);
    const config = JSON.parse(await readFile(gateway.config, "utf8")) as object;
    await writeFile(gateway.config, JSON.stringify({ ...config, attest: true }));
    const check = await world.try(`gateway check --as Gateway --config ${gateway.config}`);
    expect(check.exit, check.err).to.equal(1);
    expect(check.err)
      .to.match(/ERR_NODE_LIES/)
      .and.to.match(/hint: .*without `attest`/);
  });
});
