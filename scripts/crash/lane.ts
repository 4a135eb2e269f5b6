import { readFile, rename } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { FeedClient } from "../../test/cli/feed.ts";
import { RunningGateway } from "../../test/cli/running.ts";
import type { World } from "../../test/cli/world.ts";
import { Device, DEVICE } from "./device.ts";
import { canFail, damage, failed, failing } from "./trouble.ts";

export interface Counts {
  kills: number;
  /** System calls that were made to fail, and bits that were flipped or logs that were cut. */
  faults: number;
  damages: number;
  acknowledged: number;
  lost: number;
  twice: number;
  checkpoints: number;
  stateEqual: boolean;
}

/** One gateway with its patient, its device and a reader, in a world of its own. */
export class Lane {
  readonly #world: World;
  readonly #roll: (below: number) => number;
  readonly #gateway: RunningGateway;
  readonly #device: Device;
  readonly #credential: string;
  readonly #note: (text: string) => void;
  /** Whether the gateway has been up since its journal was damaged. */
  #mended = true;

  private constructor(
    world: World,
    roll: (below: number) => number,
    gateway: RunningGateway,
    device: Device,
    credential: string,
    note: (text: string) => void,
  ) {
    this.#world = world;
    this.#roll = roll;
    this.#gateway = gateway;
    this.#device = device;
    this.#credential = credential;
    this.#note = note;
  }

  static async open(world: World, roll: (below: number) => number, note: (text: string) => void): Promise<Lane> {
    const begin = Math.floor(Date.now() / 1000);
    const hour = (time: number): string => `${new Date(time * 1000).toISOString().slice(0, 14)}00:00Z`;
    const window = `${hour(begin - 3600)}..${hour(begin + 36_000)}`;
    for (const name of ["Ann", "Gateway", "Lee"]) {
      await world.identity(name);
      await world.run(`keys card --as ${name} --out ${name}.card`);
    }
    for (const name of ["Gateway", "Lee"]) await world.run(`contacts add ${name}.card --as Ann --yes`);
    await world.run("contacts add Gateway.card --as Lee --yes");
    for (const name of ["Gateway", "Lee"]) await world.run(`contacts add Ann.card --as ${name} --yes`);
    await world.run("fund --as Gateway");
    await world.run("stream open heart-rate --code 8867-4 --unit /min --epoch 1min --as Ann");
    await world.run(`gateway authorize --to Gateway --data ${window} --until 7d --out gw.grant --yes --as Ann`);
    await world.run(`consent grant --to Lee --data ${window} --until 7d --out lee.grant --yes --as Ann`);
    await world.run("relay gw.grant lee.grant --wait --as Gateway");
    await world.run("gateway lease --to Gateway --out gw.lease --as Ann");
    const gateway = await RunningGateway.init(world, `bed-7:${DEVICE}`);
    await gateway.start();
    await rename(world.path("gw.lease"), gateway.spool("gw.lease"));
    const receipt = gateway.spool("gw.receipt");
    await gateway.until(() =>
      readFile(receipt).then(
        () => true,
        () => false,
      ),
    );
    await world.run(`gateway confirm ${receipt} --as Ann`);
    await world.run("release --to Lee --out lee.release --as Ann");
    await world.run("inbox --file lee.release --as Lee");
    await gateway.stop();
    return new Lane(world, roll, gateway, new Device(begin, roll), await gateway.credential("bed-7"), note);
  }

  /** Kills the gateway again and again while the device streams. */
  async campaign(kills: number, counts: Counts): Promise<void> {
    const log = this.#world.path("strace.log");
    const mayFail = canFail();
    for (let i = 0; i < kills; i++) {
      const fails = mayFail && this.#roll(6) === 0;
      const life = this.#live(fails ? failing(this.#roll, log) : []);
      await pause(this.#roll(fails ? 6000 : 2500));
      await this.#gateway.kill();
      await life;
      counts.kills += 1;
      if (fails) counts.faults += await failed(log);
      // A second damage before the first was mended would be one too many, and is told as such.
      if (this.#roll(4) === 0 && this.#mended) {
        this.#mended = false;
        this.#note(`kill ${i + 1}: ${await damage(this.#world.path("home/gateway"), this.#roll)}`);
        counts.damages += 1;
      }
      if (i % 10 === 9) this.#note(`${i + 1} kills; ${this.#device.acknowledged.size} readings acknowledged`);
    }
    await this.#settle();
    await this.#check(counts);
  }

  /** One life of the gateway, up to its end, whatever ends it. */
  async #live(before: readonly string[]): Promise<void> {
    try {
      await this.#gateway.start(before);
    } catch {
      return; // It was killed before it was ready, or a system call failed that it cannot start without.
    }
    this.#mended = true;
    const client = await FeedClient.open(this.#gateway.feedPort, this.#credential).catch(() => undefined);
    if (client) await this.#device.stream(client, () => false);
  }

  /** Everything that is acknowledged gets anchored. */
  async #settle(): Promise<void> {
    await this.#gateway.start([]);
    const client = await FeedClient.open(this.#gateway.feedPort, this.#credential);
    await this.#device.finish(client);
    await this.#gateway.until(async () => {
      const { feed } = JSON.parse(await this.#gateway.page("/status")) as {
        feed: { unsealed: number; underWay: number };
      };
      return feed.unsealed + feed.underWay === 0;
    }, 600_000);
    client.close();
    const exit = await this.#gateway.stop();
    if (exit !== 0) throw new Error(`the gateway ended with ${exit}`);
  }

  /** From chain and IPFS alone, by who may read and by who needs no key. */
  async #check(counts: Counts): Promise<void> {
    const { acknowledged, odd } = this.#device;
    const lines = (await this.#world.run("read --stream heart-rate --as Lee")).trim().split("\r\n").slice(1);
    const found = new Map<string, string[]>();
    for (const line of lines) {
      const cells = line.split(",");
      const time = cells[0] as string;
      found.set(time, [...(found.get(time) ?? []), cells[5] as string]);
    }
    const lost = [...acknowledged].filter(([time, value]) => !found.get(time)?.includes(value)).length;
    const { checkpoints } = (await this.#world.json("verify --gateway Gateway --as Lee")) as { checkpoints: number };
    counts.acknowledged += acknowledged.size;
    counts.lost += lost;
    counts.twice += [...found.values()].filter((values) => values.length > 1).length;
    counts.checkpoints += checkpoints;
    // As if nothing had happened: the very readings, in the order of their times, and nothing in quarantine.
    const undisturbed = [...acknowledged].sort(([a], [b]) => (a < b ? -1 : 1)).map(String);
    const read = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(String);
    counts.stateEqual &&= odd.length === 0 && undisturbed.join("\n") === read.join("\n");
    for (const text of new Set(odd)) this.#note(`unexpected answer: ${text}`);
  }
}
