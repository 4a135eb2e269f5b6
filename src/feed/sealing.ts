import { hex0x } from "../bytes/bytes.ts";
import type { Now } from "../bytes/random.ts";
import type { Hex } from "../consent/consent.ts";
import { NoLeaseError, TooLateError } from "../gateway/errors.ts";
import type { Gateway, LeasedStream } from "../gateway/gateway.ts";
import type { Cut } from "../gateway/ingest.ts";
import { inOrder } from "../gateway/state.ts";
import type { Observation } from "../observation/observation.ts";
import { cutLive } from "./cut.ts";
import { keepApart, type HeldReadings } from "./quarantine.ts";
import { keyOf } from "./routes.ts";
import type { Arrival, CutState, FeedJournal, Range } from "./state.ts";

/** Messages and readings sealed together, so that memory stays flat whatever waits. */
const MESSAGES = 4096;
const READINGS = 65_536;

export interface SealingOptions {
  readonly gateway: Gateway;
  readonly now: Now;
  /** Seconds after its end at which an epoch is said to be complete. */
  readonly grace: number;
  /** Told of readings that were stored and may not be written any more. */
  readonly held: (readings: number, code: string) => void;
}

/** Seals what was taken, in the order of the devices' counters. */
export class Sealing {
  readonly #journal: FeedJournal;
  readonly #options: SealingOptions;
  /** By stream, the oldest epoch of what came since the last cut, and of what the cut at hand has. */
  #fresh = new Map<string, number>();
  #cutting = new Map<string, number>();
  /** What came before this place waited already when this process began, and was not looked through. */
  readonly #unknown: number;

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
    const { state } = this.#journal;
    const first = state.position.uncut;
    const until = state.position.next;
    do {
      const { cut: number } = state.position;
      const cut = state.cuts.get(inOrder(number)) ?? (await this.#decide(number));
      if (!cut) break;
      await this.#seal(number, cut);
    } while (state.position.uncut < until);
    return state.position.uncut - first;
  }

  /** Writes down what is sealed next. @returns undefined when there is nothing. */
  async #decide(number: number): Promise<CutState | undefined> {
    const { state } = this.#journal;
    const { next, uncut, uncutRow, rows } = state.position;
    const over = this.#options.now() - this.#options.grace;
    const counters = new Map<string, number[]>();
    let [until, row] = [uncut, uncutRow];
    for (let readings = 0; row < rows && until - uncut < MESSAGES && readings < READINGS; row++) {
      for (const { device, counter, groups } of state.rowAt(row).filter(isTaken)) {
        const mine = counters.get(device);
        if (mine) mine.push(counter);
        else counters.set(device, [counter]);
        readings += groups.reduce((sum, { observations }) => sum + observations.length, 0);
        until += 1;
      }
    }
    if (until === next) [this.#cutting, this.#fresh] = [this.#fresh, new Map<string, number>()];
    if (until === uncut && !this.#somethingOver(over)) return undefined;
    const ranges = Object.fromEntries([...counters].map(([device, all]) => [device, rangesOf(all)]));
    const cut: CutState = { from: uncut, until, rows: [uncutRow, row], over, ranges, level: "stored" };
    await this.#journal.write(() => state.cuts.set(inOrder(number), cut));
    return cut;
  }

  #somethingOver(over: number): boolean {
    return this.#journal.state.progress.entries().some(([key, from]) => {
      const leased = this.#leased(key);
      return leased === undefined || Math.floor(over / leased.stream.epochLength) > from;
    });
  }

  async #seal(number: number, cut: CutState): Promise<void> {
    const { gateway } = this.#options;
    const { state } = this.#journal;
    await gateway.forgetSources((source) => source.startsWith("feed-") && source !== `feed-${number}`);
    const { rows, late } = this.#rows(cut);
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
      const { sealed, error } = await gateway.sealCuts(leased, `feed-${number}`, (seedOf) => {
        const cuts = cutLive({ stream: leased.stream, observations, from, over }, seedOf);
        progress.set(key, cuts.from);
        return (made = cuts.cuts);
      });
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
    let folded = (): void => undefined;
    const write = (): void => {
      for (const [key, from] of progress) {
        if (from === undefined) state.progress.delete(key);
        else state.progress.set(key, from);
      }
      for (const row of held) keepApart(this.#journal, row);
      // Their rows are all that remembers some of them.
      if (state.position.folded < cut.rows[1]) folded = this.#journal.seen.fold(0);
      for (let row = cut.rows[0]; row < cut.rows[1]; row++) state.rows.delete(inOrder(row));
      state.cuts.set(inOrder(number), { ...cut, sealed: gateway.whereabouts.arrived });
      state.move({ uncut: cut.until, uncutRow: cut.rows[1], cut: number + 1 });
    };
    await this.#journal.write(write, () => folded());
    this.#cutting = new Map();
    for (const { code, observations } of held) this.#options.held(observations.length, code);
  }

  /** By stream, in the order of devices and their counters. */
  #rows({ rows: [from, until] }: CutState): Record<"rows" | "late", Map<string, Observation[]>> {
    const arrivals = Array.from({ length: until - from }, (_, i) =>
      this.#journal.state.rowAt(from + i).filter(isTaken),
    );
    const inTurn = arrivals.flat();
    inTurn.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : a.counter - b.counter));
    const found = { rows: new Map<string, Observation[]>(), late: new Map<string, Observation[]>() };
    for (const { groups } of inTurn)
      for (const { write, stream, late, observations } of groups) {
        const rows = late ? found.late : found.rows;
        const key = `${write}/${stream}`;
        const mine = rows.get(key);
        if (mine) for (const observation of observations) mine.push(observation);
        else rows.set(key, [...observations]);
      }
    return found;
  }

  #leased(key: string): LeasedStream | undefined {
    return this.#options.gateway.streams().find((leased) => keyOf(leased) === key);
  }
}

const isTaken = ({ groups }: Arrival): boolean => groups.length > 0;

function rangesOf(counters: readonly number[]): Range[] {
  const ranges: [number, number][] = [];
  for (const counter of [...counters].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === counter) last[1] = counter;
    else ranges.push([counter, counter]);
  }
  return ranges;
}
