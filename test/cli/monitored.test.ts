import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { freePort } from "../../scripts/world/anvil.ts";
import type { Status } from "../../src/feed/service.ts";
import type { Notice } from "../../src/monitor/notice.ts";
import { FeedClient } from "./feed.ts";
import { HEART_RATE, openLiveWard } from "./live-ward.ts";
import type { RunningGateway } from "./running.ts";
import { sharedChain } from "./shared-chain.ts";
import { noticesIn, World, type Ran, type Running } from "./world.ts";

const DEVICE = "monitor-7";
const MINUTE = 60_000;
const CLOCK = new URL("clock.ts", import.meta.url).href;
/** Seconds of the story, and those of them in which the heart is fast. */
const STORY = 420;
const fast = (second: number): boolean => (second >= 70 && second < 120) || (second >= 210 && second < 260);

describe("a monitor beside a gateway that runs", function () {
  this.timeout(300_000);
  let world: World;
  let gateway: RunningGateway;
  let monitor: Running | undefined;
  let address: string;
  let begin: number;
  /** Of gateway and monitor. */
  const env = (): Record<string, string> => ({
    MEDSEAL_TEST_CLOCK: world.path("clock"),
    NODE_OPTIONS: `--import ${CLOCK}`,
  });
  /** Lets the clock of the story stand at a second. */
  const moveTo = async (second: number): Promise<void> => {
    await writeFile(world.path("clock.new"), String(begin + 1000 * second - Date.now()));
    await rename(world.path("clock.new"), world.path("clock"));
  };
  const watch = async (): Promise<void> => {
    const line = `monitor --plan ann.plan --listen ${address} --feed-credential gateway/monitor.credential --answers answers --file told.ndjson --as Monitor`;
    const running = world.start(line, env());
    monitor = running;
    await gateway.until(() => Promise.resolve(running.said().includes("Listening")));
  };
  const kill = async (): Promise<void> => {
    monitor?.kill("SIGKILL");
    await monitor?.done;
  };
  const ended = async (): Promise<Ran> => {
    monitor?.kill("SIGTERM");
    return (await monitor?.done) as Ran;
  };
  const told = async (): Promise<Notice[]> =>
    noticesIn(await readFile(world.path("told.ndjson"), "utf8").catch(() => ""));
  const status = async (): Promise<Status> => JSON.parse(await gateway.page("/status")) as Status;

  before(async () => {
    world = await World.open(await sharedChain(), { inTurn: true });
    begin = (Math.floor(Date.now() / MINUTE) + 1) * MINUTE;
    await writeFile(world.path("clock"), "0");
    address = `127.0.0.1:${await freePort()}`;
    gateway = await openLiveWard(world, {
      source: `bed-7:${DEVICE}`,
      streams: HEART_RATE,
      hours: [2, 2],
      monitor: address,
      env: env(),
    });
    await monitored(world);
  });
  after(async () => {
    await kill();
    await gateway?.stop();
    await world.close();
  });

  it("tells of each alert once, whichever of them is killed, and the audit finds nothing", async () => {
    const credential = await gateway.credential("bed-7");
    const connected = (): Promise<FeedClient> => FeedClient.open(gateway.feedPort, credential);
    let client = await connected();
    const answered = new Set<string>();
    /** Ten seconds, in one message. */
    const step = async (second: number): Promise<void> => {
      await moveTo(second + 10);
      const readings = Array.from({ length: 10 }, (_, i) => ({
        ...{ code: "8867-4", unit: "/min", value: (fast(second + i) ? 140 : 70) + (i % 3) },
        effective: new Date(begin + 1000 * (second + i)).toISOString(),
      }));
      const { level } = await client.send({ device: DEVICE, counter: second / 10, readings });
      expect(level).to.equal("stored");
    };
    const caughtUp = (): Promise<void> => gateway.until(async () => (await status()).monitor?.behind === 0);
    const answer = async (): Promise<void> => {
      for (const { alert, at, raisedAt } of await told()) {
        if (answered.has(alert)) continue;
        answered.add(alert);
        const file = `answers/${answered.size}.answer`;
        const when = new Date(Math.max(at, raisedAt) + 1000).toISOString();
        await world.run(`alerts ack ${alert} --to Monitor --at ${when} --out ${file} --as Kim`);
        await gateway.until(() =>
          access(world.path(file)).then(
            () => false,
            () => true,
          ),
        );
        await access(world.path(`${file}.done`));
      }
    };
    await moveTo(0);
    await watch();
    for (let second = 0; second < STORY; second += 10) {
      if (second === 80) await kill();
      if (second === 100) {
        expect((await status()).monitor?.behind).to.be.greaterThan(0);
        await watch();
      }
      await step(second);
      if (second === 220) {
        await gateway.kill();
        await gateway.start();
        client = await connected();
      }
      if (second >= 80 && second < 100) continue;
      await caughtUp();
      if (second % 60 === 50) await answer();
    }
    expect((await status()).monitor).to.deep.include({ connected: true, gaveUp: 0 });
    const ran = await ended();
    expect(ran.exit, ran.err).to.equal(0);
    const notices = await told();
    expect(new Set(notices.map(({ alert }) => alert)).size).to.equal(2);
    expect(notices).to.have.length(2);
    await gateway.until(async () => {
      const { unsealed, underWay } = (await status()).feed;
      return unsealed + underWay === 0;
    });
    const at = (second: number): string => new Date(begin + 1000 * second).toISOString();
    const { out, err } = await world.start(
      `audit alerts --from ${at(0)} --to ${at(STORY - 120)} --as Lee --json`,
      env(),
    ).done;
    const { ok, coverage, episodes, findings } = JSON.parse(out || "{}") as Record<string, unknown>;
    expect({ ok, coverage, episodes, findings }, err).to.deep.equal({
      ok: true,
      coverage: 100,
      episodes: 2,
      findings: [],
    });
    expect(gateway.stderr).not.to.match(/8867-4|heart-rate|0x[0-9a-f]{40}/);
    const words = await world.run(`gateway status --as Gateway --config ${gateway.config}`);
    expect(words).to.match(/The monitor is away since .*: nothing waits for it/);
    expect(await gateway.page("/metrics")).to.match(/medseal_monitor_behind 0/);
  });
});

/** Kim who answers, a monitor with Ann's plan, and Dr Lee who reads of her alerts as well. */
async function monitored(world: World): Promise<void> {
  const run = async (...lines: string[]): Promise<void> => {
    for (const line of lines) await world.run(line);
  };
  for (const name of ["Monitor", "Kim"]) {
    await world.identity(name);
    await run(`keys card --as ${name} --out ${name}.card`, `contacts add ${name}.card --as Ann --yes`);
  }
  await run(
    "contacts add Ann.card --as Monitor --yes",
    "contacts add Monitor.card --as Kim --yes",
    "contacts add Monitor.card --as Lee --yes",
    "inbox --file lee.release --as Lee",
    "fund --as Monitor",
    "stream open alerts --alerts --as Ann",
  );
  const hour = (ahead: number): string =>
    `${new Date(Date.now() + ahead * 3_600_000).toISOString().slice(0, 14)}00:00Z`;
  const window = `--stream alerts --data ${hour(-2)}..${hour(2)} --until 7d`;
  await run(
    `gateway authorize --to Monitor ${window} --out monitor.grant --yes --as Ann`,
    `consent grant --to Lee ${window} --out lee-alerts.grant --yes --as Ann`,
    "relay monitor.grant lee-alerts.grant --wait --as Monitor",
    "gateway lease --to Monitor --out monitor.lease --as Ann",
    "gateway accept monitor.lease --out monitor.receipt --as Monitor",
    "gateway confirm monitor.receipt --as Ann",
  );
  const { consents } = (await world.json("consent list --as Ann")) as { consents: { id: string; name: string }[] };
  for (const { id } of consents.filter(({ name }) => name === "Lee"))
    await world.try(`release --to Lee --id ${id.slice(2, 14)} --out ${id.slice(2, 8)}.mail --as Ann`);
  for (const { id } of consents.filter(({ name }) => name === "Lee"))
    await world.try(`inbox --file ${id.slice(2, 8)}.mail --as Lee`);
  await run(
    "rules define fast-heart --code 8867-4 --unit /min --at-least 130 --hysteresis 5 --raise-after 10s --clear-after 20s",
    "plan --to Monitor --rule fast-heart --responder Kim --out ann.plan --yes --as Ann",
  );
  await mkdir(world.path("answers"));
}
