import { setTimeout as pause } from "node:timers/promises";
import { FeedClient, type Sent } from "../../test/cli/feed.ts";
import type { World } from "../../test/cli/world.ts";
import { dice } from "../../test/unit/log/mutate.ts";
import { Device } from "./device.ts";
import { Disk, shim, type Fault } from "./power.ts";
import { damage, someFault } from "./trouble.ts";
import { linesOf, openWard, settle, type Ward } from "./ward.ts";

export interface Counts {
  kills: number;
  /** Kills that took what was not synced with them, and files and folders that were other for it. */
  powerCuts: number;
  forgotten: number;
  /** Lives in which system calls failed, and how many did. */
  faultyLives: number;
  faults: number;
  /** Bits that were flipped, or logs that were cut. */
  damages: number;
  acknowledged: number;
  lost: number;
  twice: number;
  checkpoints: number;
  /** Whether a reader reads, byte for byte, what one reads of a gateway that nothing happened to. */
  stateEqual: boolean;
}

/** Of so many kills: while it starts, under failing system calls, with the power, with damage to the journal afterwards. */
const ROUND = 6;
const OF_A_ROUND = { early: 2, failing: 2, power: 3, damaged: 2 };
/** Milliseconds from when it is ready, from its start, or from when a system call failed, to a kill; how long to wait for such a call. */
const WITHIN = { ready: 1000, start: 1500, failed: 300 };
const PATIENCE = 2500;
/** Readings that must be acknowledged as well before a life is over, or is taken for one without such a call: on a busy machine time says nothing. */
const HEARD = { ready: 60, unfailed: 1200 };

/** One gateway with its patient, its device and a reader, in a world of its own. */
export class Lane {
  readonly #ward: Ward;
  readonly #peaceful: Ward;
  readonly #roll: Roll;
  readonly #is: Readonly<Record<keyof typeof OF_A_ROUND, () => boolean>>;
  readonly #disk: Disk | undefined;
  readonly #device: Device;
  readonly #note: (text: string) => void;
  #last: Fault["call"] | undefined;
  /** Whether the gateway has been up since its journal was damaged. */
  #mended = true;

  private constructor(ward: Ward, peaceful: Ward, seed: string, disk: Disk | undefined, note: (text: string) => void) {
    this.#ward = ward;
    this.#peaceful = peaceful;
    this.#roll = dice(seed);
    const { early, failing, power, damaged } = OF_A_ROUND;
    this.#is = {
      early: dealt(this.#roll, early),
      failing: dealt(this.#roll, failing),
      power: dealt(this.#roll, power),
      damaged: dealt(this.#roll, damaged),
    };
    this.#disk = disk;
    // How often it rolls is a matter of time: not from the same dice.
    this.#device = new Device(ward.begin, dice(`${seed}, device`));
    this.#note = note;
  }

  /** @param peaceful - Where the same readings go to a gateway that nothing happens to. */
  static async open(world: World, peaceful: World, seed: string, note: (text: string) => void): Promise<Lane> {
    const begin = Math.floor(Date.now() / 1000);
    const wards = await Promise.all([openWard(world, begin), openWard(peaceful, begin)]);
    const made = shim();
    if ("missing" in made) note(`left out: ${made.missing}`);
    const disk = "missing" in made ? undefined : await Disk.of(world.path("home/gateway"));
    return new Lane(...wards, seed, disk, note);
  }

  /** Kills the gateway again and again while the device streams. @param end - Unix milliseconds after which no more is killed. */
  async campaign(kills: number, counts: Counts, end: number): Promise<void> {
    const { gateway } = this.#ward;
    for (let i = 0; i < kills && Date.now() < end; i++) {
      const fault = this.#disk && this.#is.failing() ? this.#otherFault() : undefined;
      const life = this.#live(fault);
      const { ready, ended } = life;
      const early = this.#is.early();
      if (fault) await this.#failed(life);
      else if (!early) await ready;
      await pause(this.#roll(fault ? WITHIN.failed : early ? WITHIN.start : WITHIN.ready));
      while (!fault && !early && life.goesOn() && life.heard() < HEARD.ready) await pause(10);
      await gateway.kill();
      await ended;
      counts.kills += 1;
      const faults = (await this.#disk?.failed()) ?? 0;
      counts.faults += faults;
      if (faults > 0) counts.faultyLives += 1;
      await this.#afterwards(counts, i);
      if (i % 10 === 9) this.#note(`${i + 1} kills; ${this.#device.acknowledged.size} readings acknowledged`);
    }
    await this.#disk?.keep();
    const [undisturbed] = await Promise.all([
      readAfter(this.#peaceful, this.#device.sent),
      settle(this.#ward, (client) => this.#device.finish(client)),
    ]);
    await this.#check(counts, undisturbed);
  }

  /** Of another kind than the last one: not every kind comes to pass in every life. */
  #otherFault(): Fault {
    let fault = someFault(this.#roll);
    while (fault.call === this.#last) fault = someFault(this.#roll);
    this.#last = fault.call;
    return fault;
  }

  /** Until a system call has failed, or none did in some time after the gateway was ready, and in some work. */
  async #failed({ ready, goesOn, heard }: Life): Promise<void> {
    let end = Infinity;
    void ready.then(() => (end = Date.now() + PATIENCE));
    while (goesOn() && (Date.now() < end || heard() < HEARD.unfailed) && (await this.#disk?.failed()) === 0)
      await pause(10);
  }

  /** What becomes of the disk of a gateway that was killed. */
  async #afterwards(counts: Counts, i: number): Promise<void> {
    if (this.#disk && this.#is.power()) {
      counts.forgotten += await this.#disk.cut(this.#roll);
      counts.powerCuts += 1;
    } else await this.#disk?.keep();
    // A second damage before the first was mended would be one too many, and is told as such.
    if (this.#is.damaged() && this.#mended) {
      this.#mended = false;
      this.#note(`kill ${i + 1}: ${await damage(this.#ward.world.path("home/gateway"), this.#roll)}`);
      counts.damages += 1;
    }
  }

  /** One life of the gateway, up to its end, whatever ends it. */
  #live(fault: Fault | undefined): Life {
    const { gateway, credential } = this.#ward;
    const { acknowledged } = this.#device;
    const before = acknowledged.size;
    const ready = gateway.start(fault ? this.#disk?.failing(fault) : this.#disk?.environment);
    const life = async (): Promise<void> => {
      try {
        await ready;
      } catch {
        return; // It was killed before it was ready, or a system call failed that it cannot start without.
      }
      this.#mended = true;
      const client = await FeedClient.open(gateway.feedPort, credential).catch(() => undefined);
      if (client) await this.#device.stream(client, () => false);
    };
    let over = false;
    const ended = life().finally(() => (over = true));
    return {
      ready: ready.catch(() => undefined),
      ended,
      goesOn: () => !over,
      heard: () => acknowledged.size - before,
    };
  }

  /** From chain and IPFS alone, by who may read and by who needs no key. */
  async #check(counts: Counts, undisturbed: readonly string[]): Promise<void> {
    const { acknowledged, odd } = this.#device;
    const { world } = this.#ward;
    const lines = await linesOf(world);
    const found = new Map<string, string[]>();
    for (const line of lines) {
      const cells = line.split(",");
      const time = cells[0] as string;
      found.set(time, [...(found.get(time) ?? []), cells[5] as string]);
    }
    const lost = [...acknowledged].filter(([time, value]) => !found.get(time)?.includes(value)).length;
    const { checkpoints } = (await world.json("verify --gateway Gateway --as Lee")) as { checkpoints: number };
    counts.acknowledged += acknowledged.size;
    counts.lost += lost;
    counts.twice += [...found.values()].filter((values) => values.length > 1).length;
    counts.checkpoints += checkpoints;
    counts.stateEqual &&= odd.length === 0 && lines.join("\n") === undisturbed.join("\n");
    for (const text of new Set(odd)) this.#note(`unexpected answer: ${text}`);
  }
}

/** One life of the gateway. */
interface Life {
  /** Fulfilled when it is, and when it never will be. */
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
  readonly goesOn: () => boolean;
  /** Readings that were acknowledged in it. */
  readonly heard: () => number;
}

type Roll = (below: number) => number;

/** True `count` times of each round, in a random order. */
function dealt(roll: Roll, count: number): () => boolean {
  let left = { cards: 0, hits: 0 };
  return () => {
    if (left.cards === 0) left = { cards: ROUND, hits: count };
    const hit = roll(left.cards) < left.hits;
    left = { cards: left.cards - 1, hits: left.hits - (hit ? 1 : 0) };
    return hit;
  };
}

/** What is read of a gateway that is left in peace and gets the same messages. */
async function readAfter(ward: Ward, messages: readonly Sent[]): Promise<string[]> {
  await settle(ward, async (client) => {
    const answers = await Promise.all(messages.map((message) => client.send(message)));
    const odd = answers.filter(({ level }) => level !== "stored").length;
    if (odd > 0) throw new Error(`${odd} messages were not stored by a gateway that was left in peace`);
  });
  return linesOf(ward.world);
}
