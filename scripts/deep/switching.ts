import { ChainUnavailableError } from "../../src/chain/errors.ts";
import type { Hex } from "../../src/consent/consent.ts";
import type { ConsentRef } from "../../src/consent/watch.ts";
import { EXIT, MedSealError } from "../../src/errors.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import type { StreamIngest } from "../../src/gateway/ingest.ts";
import { GatewayState } from "../../src/gateway/state.ts";
import { Journal } from "../../src/state/journal.ts";
import { openRig, outside, PaperRows, PaperWatch, type Outside, type Rig } from "../../test/integration/rig.ts";
import { EPOCH, EPOCHS, reading, START, STREAM } from "../../test/integration/ward.ts";
import { chance, type Chance } from "./chance.ts";

export interface SwitchFigures {
  readonly schedules: number;
  readonly steps: number;
  /** Batches that were sealed, generations that were left, ends that a reorganisation took back, and starts after a crash. */
  readonly sealed: number;
  readonly switches: number;
  readonly reorgs: number;
  readonly crashes: number;
  /** Steps at which the chain was away. */
  readonly away: number;
  /** Schedules in which the gateway did anything but what the model does, with what it was. */
  readonly wrong: readonly string[];
  readonly pass: boolean;
}

const SCHEDULES = 10_000;
const STEPS = 24;
const READERS = 3;
const LEASES = 3;

/** Random schedules of readings, ends, reorganisations, renewed leases, outages and crashes, against a model of what is sealed where. */
export async function deepSwitching(
  seed: string,
  scale: number,
  tell: (what: string) => void = () => undefined,
): Promise<SwitchFigures> {
  const schedules = Math.max(1, Math.round(SCHEDULES * scale));
  const ground = await openGround(seed);
  const counts = { steps: 0, sealed: 0, switches: 0, reorgs: 0, crashes: 0, away: 0 };
  const wrong: string[] = [];
  for (let number = 0; number < schedules; number++) {
    const schedule = new Schedule(ground, chance(seed, `schedule ${number}`));
    for (let step = 0; step < STEPS; step++) {
      const problem = await schedule.step();
      if (problem !== undefined) {
        wrong.push(`schedule ${number}, step ${step}: ${problem}`);
        break;
      }
    }
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += schedule.count[name];
    if (number % 1000 === 999) tell(`${number + 1} schedules, ${wrong.length} wrong`);
  }
  return { schedules, ...counts, wrong, pass: wrong.length === 0 };
}

export const switchTable = ({ wrong, ...figures }: SwitchFigures): string =>
  [...Object.entries(figures).map(([name, count]) => `${name.padEnd(12)}${count}`), ...wrong].join("\n");

/** A patient's leases, one after the other: the spare of each is the current generation of the next. */
interface Ground {
  readonly rig: Rig;
  readonly readers: readonly Hex[];
  readonly leases: readonly Uint8Array[];
  /** A gateway that has the first lease. */
  readonly begun: Outside;
}

async function openGround(seed: string): Promise<Ground> {
  const rig = await openRig(`switching ${seed}`);
  const readers: Hex[] = [];
  for (let i = 0; i < READERS; i++) readers.push(rig.consent(await rig.newParty(`reader ${i}`)).id);
  const leases: Uint8Array[] = [];
  for (let i = 0; i < LEASES; i++) {
    if (i > 0) await rig.patient.moveToSpare([STREAM]);
    rig.ways.time += 1;
    leases.push(await rig.lease());
  }
  const begun = outside();
  await new Gateway(rig.deps(begun)).acceptLease(leases[0] as Uint8Array);
  return { rig, readers, leases, begun };
}

/** Ends as the ledger knows them: signed ones stay, mined ones a reorganisation may take back. */
class Ends extends PaperWatch {
  readonly signed = new Set<Hex>();
  readonly mined = new Set<Hex>();
  away = false;

  override refresh(): Promise<void> {
    return this.away ? Promise.reject(new ChainUnavailableError()) : Promise.resolve();
  }

  override ended({ id }: ConsentRef): boolean {
    return this.signed.has(id) || this.mined.has(id);
  }
}

class Schedule {
  readonly count = { steps: 0, sealed: 0, switches: 0, reorgs: 0, crashes: 0, away: 0 };
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #ends = new Ends();
  readonly #at: Outside;
  #gateway: Gateway;
  #session: StreamIngest;
  #second = 0;
  /** The model: the lease that counts, and the generations that were left. */
  #lease = 0;
  readonly #left = new Set<number>();

  constructor(ground: Ground, draw: Chance) {
    this.#ground = ground;
    this.#chance = draw;
    const rows = new PaperRows(ground.begun.rows.rows);
    this.#at = { ...outside(), rows };
    for (const id of [ground.rig.write.id, ...ground.readers]) this.#ends.granted.add(id);
    this.#gateway = this.#opened();
    this.#session = this.#begin();
  }

  /** @returns what the gateway did that the model does not. */
  async step(): Promise<string | undefined> {
    this.count.steps += 1;
    const before = this.#written();
    const acts: readonly (() => Promise<unknown> | void)[] = [
      ...times(5, () => this.#looking(() => this.#add())),
      ...times(4, () => this.#looking(() => this.#session.finish())),
      ...times(2, () => this.#looking(() => this.#gateway.retireEnded())),
      ...times(2, () => this.#end(this.#ends.signed)),
      ...times(3, () => this.#end(this.#ends.mined)),
      ...times(3, () => this.#reorganise()),
      ...times(2, () => this.#renew()),
      ...times(2, () => this.#crash()),
      ...times(1, () => void (this.#ends.away = !this.#ends.away)),
    ];
    await this.#chance.pick(acts)();
    if (this.#ends.away) this.count.away += 1;
    return this.#difference(before);
  }

  /** What looks for ends before it does anything: they count from here on, whatever comes. */
  async #looking(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MedSealError) || error.exit !== EXIT.unavailable) throw error;
    }
  }

  async #add(): Promise<void> {
    this.#second = Math.min(EPOCHS * EPOCH - 1, this.#second + this.#chance.int(EPOCH));
    await this.#session.add(reading(this.#second));
  }

  #end(ends: Set<Hex>): void {
    const { readers } = this.#ground;
    ends.add(this.#chance.pick(readers));
  }

  #reorganise(): void {
    if (this.#ends.mined.size > 0) this.count.reorgs += 1;
    this.#ends.mined.clear();
  }

  async #renew(): Promise<void> {
    const next = Math.min(LEASES - 1, this.#lease + this.#chance.int(2));
    await this.#looking(async () => {
      await this.#gateway.acceptLease(this.#ground.leases[next] as Uint8Array);
      this.#lease = next;
    });
  }

  /** What was not sealed comes again from its source. */
  #crash(): void {
    this.count.crashes += 1;
    this.#gateway = this.#opened();
    this.#session = this.#begin();
  }

  #opened(): Gateway {
    const { rig } = this.#ground;
    return new Gateway({ ...rig.deps(this.#at), watch: this.#ends, now: () => START });
  }

  #begin(): StreamIngest {
    const { rig } = this.#ground;
    return this.#gateway.ingest({ write: rig.write.id, stream: rig.stream }, { clock: { kind: "source" } });
  }

  /** Headers of each generation, and which of them have keys. */
  #written(): { readonly headers: ReadonlyMap<number, number>; readonly keys: readonly number[] } {
    const { secret } = this.#ground.rig.deps(this.#at).keys;
    const { writers, leases } = new GatewayState(new Journal(new PaperRows(this.#at.rows.rows), secret));
    const headers = writers
      .entries()
      .map(([name, { sequence }]) => [Number(name.split("/").at(-1)), sequence] as const);
    const keys = leases.entries().flatMap(([, lease]) => lease.keys.filter(({ data }) => data?.length));
    return { headers: new Map(headers), keys: keys.map(({ generation }) => generation) };
  }

  /** A batch lies in the current generation, unless an end was known when it was sealed, or at any time before: then in the spare. */
  #difference(before: { readonly headers: ReadonlyMap<number, number> }): string | undefined {
    const after = this.#written();
    const grown = [...after.headers].filter(([generation, headers]) => headers > (before.headers.get(generation) ?? 0));
    const known = this.#ground.readers.some((id) => this.#ends.ended({ id, grantor: "0x" }));
    const lacks = !after.keys.includes(this.#lease);
    // It left the current generation in this step, or before.
    if (lacks && !this.#left.has(this.#lease)) {
      if (!known) return "a generation was left, and nobody's consent had ended";
      this.#left.add(this.#lease);
      this.count.switches += 1;
    }
    if ([...this.#left].some((generation) => after.keys.includes(generation)))
      return "keys of a left generation came back";
    for (const [generation, headers] of grown) {
      this.count.sealed += headers - (before.headers.get(generation) ?? 0);
      if (known && generation === this.#lease) return "a batch was sealed for somebody whose consent had ended";
      const due = this.#left.has(this.#lease) ? this.#lease + 1 : this.#lease;
      if (generation !== due) return `a batch was sealed in generation ${generation}, and not in ${due}`;
    }
    if (this.#ends.away && grown.length > 0) return "a batch was sealed without having asked for ends";
    return undefined;
  }
}

const times = <T>(count: number, act: T): T[] => new Array<T>(count).fill(act);
