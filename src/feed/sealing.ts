import { hex0x } from "../bytes/bytes.ts";
import type { Now } from "../bytes/random.ts";
import type { Hex } from "../consent/consent.ts";
import { NoLeaseError, TooLateError } from "../gateway/errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { LeasedStream } from "../gateway/leave.ts";
import type { Cut } from "../gateway/ingest.ts";
import { inOrder } from "../state/journal.ts";
import type { Channel, Observation } from "../observation/observation.ts";
import { cutLive } from "./cut.ts";
import { Pace } from "./pace.ts";
import { keepApart, type HeldReadings } from "./quarantine.ts";
import { keyOf } from "./routes.ts";
import type { Arrival, CutState, FeedJournal, Range } from "./state.ts";

/** Messages and readings sealed together, so that memory stays flat whatever waits. */
const MESSAGES = 4096;
const READINGS = 65_536;
/** Messages, about, that are put on pages in one write. */
const FOLDED = 64;
/** Rows dropped in one write. */
const CLEARED = 32;

export interface SealingOptions {
  readonly gateway: Gateway;
  readonly now: Now;
  /** Seconds after its end at which an epoch is said to be complete. */
  readonly grace: number;
  /** Told of readings that were stored and may not be written any more. */
  readonly held: (readings: number, code: string) => void;
  /** The first row that others than sealing still need. */
  readonly needed?: (() => Promise<number>) | undefined;
}

interface Decided {
  readonly cut: CutState;
  /** In the order in which they came. */
  readonly arrivals: readonly Arrival[];
}

/** Seals what was taken, in the order of the devices' counters. */
export class Sealing {
  readonly #journal: FeedJournal;
  readonly #options: SealingOptions;
  /** By stream, the oldest epoch of what came since the last cut, and of what the cut at hand has. */
  #fresh = new Map<string, number>();
  #cutting = new Map<string, number>();
  /** Streams that something was sealed of since what was idle between was last looked for. */
  readonly #sealed = new Map<string, LeasedStream>();
  /** What came before this place waited already when this process began, and was not looked through. */
  readonly #unknown: number;
  readonly #pace = new Pace();

  constructor(journal: FeedJournal, options: SealingOptions) {
    this.#journal = journal;
    this.#options = options;
    this.#unknown = journal.state.position.next;
  }

  /** To be told of everything that is taken. */
  arriving(oldest: ReadonlyMap<string, number>): void {
    for (const [key, epoch] of oldest) this.#fresh.set(key, Math.min(this.#fresh.get(key) ?? Infinity, epoch));
  }

  /** See `GatewayDeps`. */
  oldestWaiting(write: Hex, stream: Uint8Array): number {
    if (this.#journal.state.position.uncut < this.#unknown) return 0;
    const key = `${write}/${hex0x(stream)}`;
    const all = [this.#fresh.get(key), this.#cutting.get(key), this.#journal.state.progress.get(key)];
    return Math.min(Infinity, ...all.filter((epoch) => epoch !== undefined));
  }

  /** Messages that wait to be sealed. */
  get waiting(): number {
    const { next, uncut } = this.#journal.state.position;
    return next - uncut;
  }

  /** Seals all that waits. @returns how many messages. @throws what chain and journal throw; sealing again goes on. */
  async seal(): Promise<number> {
    try {
      return await this.#sealAll();
    } catch (error) {
      this.#journal.state.recent.clear();
      throw error;
    }
  }

  async #sealAll(): Promise<number> {
    const { state } = this.#journal;
    const first = state.position.uncut;
    const until = state.position.next;
    await this.#clear();
    do {
      const { cut: number } = state.position;
      const known = state.cuts.get(inOrder(number));
      const decided = known ? { cut: known, arrivals: await this.#arrivals(known.rows) } : await this.#decide(number);
      if (!decided) break;
      await this.#seal(number, decided);
      await this.#clear();
    } while (state.position.uncut < until);
    for (const [key, leased] of this.#sealed)
      await this.#options.gateway.fillIdle(leased, state.progress.get(key) ?? 0);
    this.#sealed.clear();
    return state.position.uncut - first;
  }

  /** Writes down what is sealed next. @returns undefined when there is nothing. */
  async #decide(number: number): Promise<Decided | undefined> {
    const { state } = this.#journal;
    const { next, uncut, uncutRow, rows } = state.position;
    const over = this.#options.now() - this.#options.grace;
    // More comes while this is looked through; it counts as the next cut's.
    this.arriving(this.#cutting);
    const came = this.#fresh;
    [this.#cutting, this.#fresh] = [came, new Map<string, number>()];
    const arrivals: Arrival[] = [];
    let [readings, row] = [0, uncutRow];
    for (; row < rows && arrivals.length < MESSAGES && readings < READINGS; row++) {
      for (const arrival of state.rowAt(row).filter(isTaken)) {
        readings += arrival.groups.reduce((sum, { observations }) => sum + observations.length, 0);
        arrivals.push(arrival);
      }
      await this.#pace.rest();
    }
    const until = uncut + arrivals.length;
    if (until < next) this.arriving(came);
    if (until === uncut && !this.#somethingOver(over)) return undefined;
    const cut: CutState = {
      from: uncut,
      until,
      rows: [uncutRow, row],
      over,
      ranges: rangesOf(arrivals),
      level: "stored",
    };
    await this.#journal.write(() => state.cuts.set(inOrder(number), cut));
    return { cut, arrivals };
  }

  /** What was decided on before this process began, or before it failed. */
  async #arrivals([from, until]: Range): Promise<Arrival[]> {
    const arrivals: Arrival[] = [];
    for (let row = from; row < until; row++) {
      arrivals.push(...this.#journal.state.rowAt(row).filter(isTaken));
      await this.#pace.rest();
    }
    return arrivals;
  }

  /** Drops the rows of finished cuts, a few at a time, so that what comes meanwhile does not wait for long. */
  async #clear(): Promise<void> {
    const { state } = this.#journal;
    const end = Math.min(state.position.uncutRow, (await this.#options.needed?.()) ?? Infinity);
    for (let row = state.position.cleared; row < end; row = state.position.cleared) {
      const until = Math.min(row + CLEARED, end);
      await this.#journal.write(() => {
        for (let gone = row; gone < until; gone++) state.rows.delete(inOrder(gone));
        state.move({ cleared: until });
      });
      await this.#pace.rest();
    }
  }

  /** Puts all messages of the rows before one on pages, some at a time: those rows, which alone remember some of them, will be dropped. */
  async #fold(row: number): Promise<void> {
    const { state, seen } = this.#journal;
    while (state.position.folded < row && seen.loose > 0) {
      let folded = (): void => undefined;
      await this.#journal.write(
        () => void (folded = seen.fold(Math.max(0, seen.loose - FOLDED))),
        () => folded(),
      );
      await this.#pace.rest();
    }
  }

  #somethingOver(over: number): boolean {
    return this.#journal.state.progress.entries().some(([key, from]) => {
      const leased = this.#leased(key);
      return leased === undefined || Math.floor(over / leased.stream.epochLength) > from;
    });
  }

  async #seal(number: number, { cut, arrivals }: Decided): Promise<void> {
    const { gateway } = this.#options;
    const { state } = this.#journal;
    await gateway.forgetSources((source) => source.startsWith("feed-") && source !== `feed-${number}`);
    const { rows, late } = await this.#byStream(arrivals);
    const progress = new Map<string, number | undefined>();
    const held: HeldReadings[] = [];
    for (const key of [...new Set([...rows.keys(), ...state.progress.entries().map(([name]) => name)])].sort()) {
      const observations = rows.get(key) ?? [];
      const leased = this.#leased(key);
      if (!leased) {
        progress.set(key, undefined);
        if (observations.length > 0) held.push({ key, code: "ERR_NO_LEASE", observations });
        continue;
      }
      const over = Math.floor(cut.over / leased.stream.epochLength);
      const from = state.progress.get(key);
      if (observations.length === 0 && (from === undefined || over <= from)) continue;
      let made: readonly Cut[] = [];
      await this.#pace.rest();
      const { sealed, error } = await gateway.sealCuts(leased, `feed-${number}`, async (seedOf, threads) => {
        const rest = (): Promise<void> => this.#pace.rest();
        const cuts = await cutLive({ stream: leased.stream, observations, from, over }, seedOf, rest, threads);
        progress.set(key, cuts.from);
        return (made = cuts.cuts);
      });
      this.#sealed.set(key, leased);
      const left = made.slice(sealed).flatMap(({ chunk }) => chunk?.observations ?? []);
      if (error) progress.set(key, undefined);
      if (error instanceof TooLateError && gateway.takesLate(leased))
        late.set(key, [...(late.get(key) ?? []), ...left]);
      else if (error && left.length > 0) held.push({ key, code: error.code, observations: left });
    }
    for (const [key, observations] of [...late].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const leased = this.#leased(key);
      const error = leased ? await gateway.sealLate(leased, `feed-${number}`, observations) : new NoLeaseError("");
      if (error) held.push({ key, code: error.code, observations });
    }
    await this.#fold(cut.rows[1]);
    const write = (): void => {
      for (const [key, from] of progress) {
        if (from === undefined) state.progress.delete(key);
        else state.progress.set(key, from);
      }
      for (const row of held) keepApart(this.#journal, row);
      state.cuts.set(inOrder(number), { ...cut, sealed: gateway.whereabouts.arrived });
      state.move({ uncut: cut.until, uncutRow: cut.rows[1], cut: number + 1 });
    };
    await this.#journal.write(write);
    this.#cutting = new Map();
    for (const { code, observations } of held) this.#options.held(observations.length, code);
  }

  /** By stream, in the order of devices and their counters. */
  async #byStream(arrivals: readonly Arrival[]): Promise<Record<"rows" | "late", Map<string, Observation[]>>> {
    const inTurn = arrivals.toSorted((a, b) =>
      a.device < b.device ? -1 : a.device > b.device ? 1 : a.counter - b.counter,
    );
    const found = { rows: new Map<string, Observation[]>(), late: new Map<string, Observation[]>() };
    for (const { groups } of inTurn) {
      await this.#pace.rest();
      for (const { write, stream, late, observations } of groups) {
        const rows = late ? found.late : found.rows;
        const key = `${write}/${stream}`;
        const mine = rows.get(key) ?? [];
        for (const one of observations) mine.push({ ...one, channel: shared(one.channel, mine.at(-1)?.channel) });
        rows.set(key, mine);
      }
    }
    return found;
  }

  #leased(key: string): LeasedStream | undefined {
    return this.#options.gateway.streams().find((leased) => keyOf(leased) === key);
  }
}

const isTaken = ({ groups }: Arrival): boolean => groups.length > 0;

/** A channel of rows that came apart, once for neighbours that have the same: what is asked of a channel is then found at once. */
function shared(channel: Channel, before: Channel | undefined): Channel {
  if (!before || channel.component || before.component) return channel;
  const same = channel.unit === before.unit && channel.code.code === before.code.code;
  return same && channel.code.system === before.code.system ? before : channel;
}

/** Counters by device. */
function rangesOf(arrivals: readonly Arrival[]): CutState["ranges"] {
  const counters = new Map<string, number[]>();
  for (const { device, counter } of arrivals) {
    const mine = counters.get(device);
    if (mine) mine.push(counter);
    else counters.set(device, [counter]);
  }
  return Object.fromEntries([...counters].map(([device, all]) => [device, runsOf(all)]));
}

function runsOf(counters: readonly number[]): Range[] {
  const ranges: [number, number][] = [];
  for (const counter of [...counters].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === counter) last[1] = counter;
    else ranges.push([counter, counter]);
  }
  return ranges;
}
