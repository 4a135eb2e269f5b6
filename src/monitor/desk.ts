import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { Journal, type Blobs, type Table } from "../state/journal.ts";
import { parseState, stringifyState } from "../state/json.ts";
import type { Rows } from "../state/rows.ts";
import type { Alert } from "../alerts/alert.ts";
import type { Heard } from "../alerts/reading.ts";
import { alertOf, type SignedAnswer } from "./answer.ts";
import type { Entry } from "./entry.ts";
import { AnswerRefusedError, PlanInvalidError } from "./errors.ts";
import { noticesOf, type Notice } from "./notice.ts";
import { formatPlan, parsePlan, type SignedPlan, type Source } from "./plan.ts";
import type { Raise } from "./once.ts";
import { planRaises, raiseKey, type KeptRaise } from "./raises.ts";
import { PlanMonitor, type Stated } from "./plan-monitor.ts";
import type { Status } from "../alerts/state.ts";
import type { Told } from "../alerts/told.ts";
import type { TimelinePast } from "../alerts/timeline.ts";

/** A reading, or why there is none, and the id of the plan that watches over whom it is of. */
export interface Fed {
  readonly plan: string;
  readonly recorded: Heard;
}

/** A notice, and the channels that have it. */
export interface PendingNotice {
  readonly notice: Notice;
  readonly done: readonly string[];
}

/** A notice, by its id, that a channel has. */
export interface Mark {
  readonly id: string;
  readonly channel: string;
}

interface KeptPlan {
  readonly text: string;
  readonly write: SignedPlan["write"];
  readonly signature: string;
  /** Number of its next entry. */
  readonly n: number;
  /** Readings of rows before this one are in its snapshot. */
  readonly since: number;
  /** When another plan took its place, in milliseconds. */
  readonly endedAt?: number;
}

interface Position {
  /** Rows of readings, from `first` on and before `next`. */
  readonly first: number;
  readonly next: number;
  /** Of the last change, in milliseconds. */
  readonly now: number;
}

/** Milliseconds after which a plan is looked at again though nothing came for it. */
const TICK = 1000;

/** Rows of readings that are kept before a snapshot takes their place. */
const ROWS = 60;

/** Away for longer than so many periods, a monitor says nothing of what it may not have been given. */
const AWAY = 2;

/**
 * The monitors of many plans, and all that they must not lose, in one journal. What `take` has been given, and every
 * alert and notice that follows from it, is durable together before the notices go out; killed at any moment, a desk
 * that is opened again is where it stood. Calls come one after the other.
 */
export class Desk {
  readonly #journal: Journal;
  readonly #plans: Table<KeptPlan>;
  readonly #alerts: Table<Alert>;
  readonly #stated: Table<Stated>;
  readonly #entries: Table<readonly Entry[]>;
  readonly #notices: Table<PendingNotice>;
  readonly #sources: Table<number>;
  /** What was last told of a source. */
  readonly #standings: Table<Told["report"]>;
  readonly #raises: Table<KeptRaise>;
  /** By plan, the newest epoch of its stream that it has entries in that are sealed. */
  readonly #sealedEpochs: Table<number>;
  readonly #position: Table<Position>;
  readonly #rows: Blobs;
  readonly #snapshots: Blobs;
  readonly #monitors = new Map<string, PlanMonitor>();
  /** By plan: keys of its alerts, and of its entries that are not sealed. */
  readonly #known = new Map<string, ReadonlySet<string>>();
  readonly #unsealed = new Map<string, string[]>();
  readonly #ticked = new Map<string, number>();
  #turn = 0;
  #compacted = 0;

  /** @param key - 32 secret bytes, kept outside of the rows. @throws JournalBusyError, JournalFailedError. */
  constructor(rows: Rows, key: Uint8Array) {
    this.#journal = new Journal(rows, key);
    this.#plans = this.#journal.table("plan");
    this.#alerts = this.#journal.table("alert");
    this.#stated = this.#journal.table("stated");
    this.#entries = this.#journal.table("entry");
    this.#notices = this.#journal.table("notice");
    this.#sources = this.#journal.table("source");
    this.#standings = this.#journal.table("standing");
    this.#raises = this.#journal.table("raise");
    this.#sealedEpochs = this.#journal.table("sealed");
    this.#position = this.#journal.table("position");
    this.#rows = this.#journal.blobs("readings");
    this.#snapshots = this.#journal.blobs("snapshot");
    this.#restore();
  }

  get plans(): readonly SignedPlan[] {
    return [...this.#monitors.values()].map(({ signed }) => signed);
  }

  /** Those by which somebody is watched over now. */
  get watching(): readonly SignedPlan[] {
    return [...this.#monitors.values()].filter(({ endedAt }) => endedAt === undefined).map(({ signed }) => signed);
  }

  /** Milliseconds of the last change: the clock of a desk never goes back. */
  get now(): number {
    return this.#at.now;
  }

  alertsOf(plan: string): readonly Alert[] {
    return this.#monitors.get(plan)?.alerts ?? [];
  }

  /** What each rule of a plan says at the desk's time: a value, or why there is none. */
  statusesOf(plan: string): ReadonlyMap<string, Status> {
    return this.#monitors.get(plan)?.statuses(this.now) ?? new Map<string, Status>();
  }

  /** What was last told of a source of a plan. */
  toldOf(plan: string, source: Source): Told["report"] | undefined {
    return this.#standings.get(standingKey(plan, source));
  }

  /** What plans want on chain, oldest first. */
  get raises(): readonly KeptRaise[] {
    return this.#raises.entries().map(([, raise]) => raise);
  }

  /** Notes how far one has come; a signature that came meanwhile stays. */
  async noteRaise(raise: Raise, change: Partial<KeptRaise>): Promise<void> {
    const key = raiseKey(raise);
    const kept = this.#raises.get(key);
    if (kept) await this.#journal.write(() => this.#raises.set(key, { ...kept, ...change }));
  }

  /** Forgets a signature that the contract did not take. */
  async dropSignature(raise: Raise): Promise<void> {
    const kept = this.#raises.get(raiseKey(raise));
    if (kept === undefined) return;
    const { signature: _, ...rest } = kept;
    await this.#journal.write(() => this.#raises.set(raiseKey(raise), rest));
  }

  /** Notices that not every channel is known to have. */
  get pending(): readonly PendingNotice[] {
    return this.#notices.entries().map(([, pending]) => pending);
  }

  /** Readings of a source that were taken. */
  taken(source: string): number {
    return this.#sources.get(source) ?? 0;
  }

  /**
   * Watches by a plan from now on, and no more by the one whose place it takes. One that is watched by already stays as
   * it is.
   *
   * @throws PlanInvalidError when what it replaces was not signed for the same leave.
   */
  async adopt(signed: SignedPlan, now: number): Promise<void> {
    const { id } = signed.plan;
    if (this.#monitors.has(id)) return;
    const at = Math.max(now, this.#at.now);
    const { monitor, entries } = PlanMonitor.begin(signed, at);
    const before = this.#monitors.get(signed.plan.replaces ?? "");
    if (before && before.signed.write !== signed.write)
      throw new PlanInvalidError("it replaces one that was signed for another leave");
    const last = before && before.endedAt === undefined ? before.end(id, at) : [];
    await this.#journal.write(() => {
      const { write, signature } = signed;
      const since = this.#at.next;
      this.#plans.set(id, { text: formatPlan(signed.plan), write, signature, n: monitor.n, since });
      this.#snapshots.set(id, utf8(stringifyState([...monitor.timelines])));
      this.#keepEntries(id, entries);
      this.#keepMonitor(id, monitor);
      if (before) {
        this.#keepEntries(before.signed.plan.id, last);
        this.#keepMonitor(before.signed.plan.id, before);
      }
      this.#move({ now: at });
    });
    this.#monitors.set(id, monitor);
  }

  /**
   * Takes readings in, and finds what time has brought about until now.
   *
   * @param source - Of which these are the next readings; one that is given again goes on behind `taken`.
   * @returns the notices that are to go out. They are durable.
   */
  async take(fed: readonly Fed[], now: number, source?: string): Promise<readonly Notice[]> {
    const at = Math.max(now, this.#at.now);
    const entries = new Map<string, Entry[]>();
    let place = 0;
    for (const [id, monitor] of this.#monitors) {
      // One after the other, so that a thousand do not look at the same moment, and readings wait for all of them.
      const turn = Math.floor((TICK * place++) / this.#monitors.size);
      const last = this.#ticked.get(id) ?? at - TICK + turn;
      const isDue = at - last >= TICK;
      this.#ticked.set(id, isDue ? at : last);
      if (!isDue) continue;
      const told = monitor.tick(at);
      if (told.length > 0) entries.set(id, told);
    }
    for (const { plan, recorded } of fed) {
      const monitor = this.#monitors.get(plan);
      if (!monitor) continue;
      const told = monitor.hear(recorded, at);
      const known = entries.get(plan);
      if (known) known.push(...told);
      else entries.set(plan, told);
    }
    return this.#keep(entries, at, () => {
      if (fed.length > 0) {
        const { next } = this.#at;
        this.#rows.set(inOrder(next), utf8(stringifyState(fed)));
        this.#move({ next: next + 1 });
      }
      for (const { plan, recorded } of fed)
        if ("report" in recorded) this.#standings.set(standingKey(plan, recorded), recorded.report);
      if (source !== undefined) this.#sources.set(source, this.taken(source) + fed.length);
    });
  }

  /** What a responder says. @throws AnswerRefusedError, NoSuchAlertError. */
  async answer(signed: SignedAnswer, now: number): Promise<readonly Notice[]> {
    const at = Math.max(now, this.#at.now);
    const found = [...this.#monitors].find(([, one]) => alertOf(one.signed.plan, signed.answer.alert) !== undefined);
    if (found === undefined) throw new AnswerRefusedError("no plan here has such an alert");
    const [id, monitor] = found;
    const told = monitor.answer(signed, at);
    return this.#keep(new Map([[id, told]]), at, () => {
      const { onChain: signature, answer } = signed;
      const raise = this.raises.findLast((one) => one.plan === id && answer.alert.endsWith(`/${one.alert}`));
      if (raise && signature !== undefined) this.#raises.set(raiseKey(raise), { ...raise, signature });
    });
  }

  /**
   * Writes down what was evaluated, plan by plan, as long as there is time for it.
   *
   * @param spare - Milliseconds; at least one plan that owes something has its turn.
   */
  async state(now: number, spare = Infinity): Promise<void> {
    const at = Math.max(now, this.#at.now);
    const until = performance.now() + spare;
    const ids = [...this.#monitors.keys()];
    const entries = new Map<string, Entry[]>();
    for (let looked = 0; looked < ids.length && (entries.size === 0 || performance.now() < until); looked++) {
      const id = ids[this.#turn++ % ids.length] as string;
      const monitor = this.#monitors.get(id) as PlanMonitor;
      if (monitor.owes(at)) entries.set(id, monitor.state(at));
    }
    if (entries.size > 0) await this.#keep(entries, at);
    else if (ids.length > 0) await this.#compact(ids[this.#compacted++ % ids.length] as string);
  }

  /**
   * Notes which channels have which notices, all at once.
   *
   * @param channels - Names of all: a notice that each has is forgotten.
   * @returns for each mark whether the channel did not have it before.
   */
  async delivered(marks: readonly Mark[], channels: readonly string[]): Promise<boolean[]> {
    const fresh: boolean[] = [];
    await this.#journal.write(() => {
      for (const { id, channel } of marks) {
        const pending = this.#notices.get(id);
        const isFresh = pending !== undefined && !pending.done.includes(channel);
        fresh.push(isFresh);
        if (!isFresh) continue;
        const done = [...pending.done, channel];
        if (channels.every((one) => done.includes(one))) this.#notices.delete(id);
        else this.#notices.set(id, { notice: pending.notice, done });
      }
    });
    return fresh;
  }

  /** Entries of a plan that are not known to be sealed, in their order. */
  unsealed(plan: string): readonly Entry[] {
    return (this.#unsealed.get(plan) ?? []).flatMap((key) => this.#entries.get(key) ?? []);
  }

  /** The newest epoch of its stream in which entries of a plan were sealed. */
  sealedEpoch(plan: string): number | undefined {
    return this.#sealedEpochs.get(plan);
  }

  /** Notes that the entries of a plan before number `n`, up to an epoch, are sealed. */
  async sealed(plan: string, n: number, epoch: number): Promise<void> {
    const keys = this.#unsealed.get(plan) ?? [];
    await this.#journal.write(() => {
      this.#sealedEpochs.set(plan, epoch);
      for (const key of keys) {
        const entries = this.#entries.get(key) ?? [];
        const left = entries.filter((entry) => entry.n >= n);
        if (left.length === 0) this.#entries.delete(key);
        else if (left.length < entries.length) this.#entries.set(key, left);
      }
    });
    this.#unsealed.set(
      plan,
      keys.filter((key) => this.#entries.get(key) !== undefined),
    );
  }

  close(): void {
    this.#journal.close();
  }

  /** Goes on at a time: what may have been missed since the last change is not claimed to have been seen. */
  resume(now: number): void {
    for (const monitor of this.#monitors.values()) {
      if (this.#at.now > 0 && now - this.#at.now > AWAY * monitor.signed.plan.period) monitor.skip(now);
    }
  }

  async #keep(entries: ReadonlyMap<string, Entry[]>, now: number, also = (): void => {}): Promise<readonly Notice[]> {
    const notices: Notice[] = [];
    await this.#journal.write(() => {
      also();
      for (const [id, told] of entries) {
        const monitor = this.#monitors.get(id) as PlanMonitor;
        this.#keepEntries(id, told);
        this.#keepMonitor(id, monitor);
        planRaises(this.#raises, monitor.signed.plan, told);
        notices.push(...noticesOf(monitor.signed.plan, told, monitor.alerts, this.raises));
      }
      for (const notice of notices) this.#notices.set(notice.id, { notice, done: [] });
      this.#move({ now });
    });
    return notices;
  }

  #keepEntries(id: string, entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    const key = `${id}/${inOrder(first.n)}`;
    this.#entries.set(key, entries);
    push(this.#unsealed, id, key);
  }

  /** Writes what has changed: values are replaced, never altered. */
  #keepMonitor(id: string, { alerts, stated, n, endedAt }: PlanMonitor): void {
    const plan = this.#plans.get(id) as KeptPlan;
    if (plan.n !== n) this.#plans.set(id, { ...plan, n, ...(endedAt === undefined ? {} : { endedAt }) });
    const keys = new Set(alerts.map((alert) => `${id}/${alert.id}`));
    for (const alert of alerts) set(this.#alerts, `${id}/${alert.id}`, alert);
    for (const key of this.#known.get(id) ?? []) if (!keys.has(key)) this.#alerts.delete(key);
    this.#known.set(id, keys);
    for (const [rule, one] of stated) set(this.#stated, `${id}/${rule}`, one);
  }

  /** Writes what a plan's timelines know, so that rows of readings need not be kept for it. */
  async #compact(id: string): Promise<void> {
    const plan = this.#plans.get(id) as KeptPlan;
    const { first, next } = this.#at;
    if (next - plan.since < Math.max(ROWS, 2 * this.#monitors.size)) return;
    const timelines = [...(this.#monitors.get(id) as PlanMonitor).timelines];
    await this.#journal.write(() => {
      this.#snapshots.set(id, utf8(stringifyState(timelines)));
      this.#plans.set(id, { ...plan, since: next });
      const needed = Math.min(...this.#plans.entries().map(([, { since }]) => since));
      for (let row = first; row < needed; row++) this.#rows.delete(inOrder(row));
      this.#move({ first: Math.max(first, needed) });
    });
  }

  #restore(): void {
    const readings = new Map<string, Heard[]>();
    const { first, next } = this.#at;
    for (let row = first; row < next; row++) {
      const bytes = this.#rows.get(inOrder(row));
      for (const { plan, recorded } of parse<readonly Fed[]>(bytes) ?? []) {
        if (row < (this.#plans.get(plan)?.since ?? Infinity)) continue;
        push(readings, plan, recorded);
      }
    }
    const under = <T>(table: Table<T>, id: string): [string, T][] =>
      table
        .entries()
        .filter(([key]) => key.startsWith(`${id}/`))
        .map(([key, value]) => [key.slice(id.length + 1), value]);
    for (const [key] of this.#entries.entries()) push(this.#unsealed, key.slice(0, key.indexOf("/")), key);
    for (const [id, { text, write, signature, n, endedAt }] of this.#plans.entries()) {
      const timelines = new Map(parse<[string, TimelinePast][]>(this.#snapshots.get(id)) ?? []);
      const stated = new Map(under(this.#stated, id));
      const kept = under(this.#alerts, id);
      this.#known.set(id, new Set(kept.map(([key]) => `${id}/${key}`)));
      const alerts = kept.map(([, alert]) => alert);
      const past = {
        timelines,
        readings: readings.get(id) ?? [],
        alerts,
        stated,
        n,
        ...(endedAt === undefined ? {} : { endedAt }),
      };
      this.#monitors.set(id, new PlanMonitor({ plan: parsePlan(text), write, signature }, past));
    }
  }

  get #at(): Position {
    return this.#position.get("") ?? { first: 0, next: 0, now: 0 };
  }

  #move(change: Partial<Position>): void {
    this.#position.set("", { ...this.#at, ...change });
  }
}

function set<T>(table: Table<T>, key: string, value: T): void {
  if (table.get(key) !== value) table.set(key, value);
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

const parse = <T>(bytes: Uint8Array | undefined): T | undefined => bytes && (parseState(fromUtf8(bytes)) as T);

const standingKey = (plan: string, { channels }: Pick<Source, "channels">): string =>
  `${plan}/${JSON.stringify(channels.map(({ system, code, unit }) => [system, code, unit]))}`;

/** Names that sort as their numbers do. */
const inOrder = (value: number): string => value.toString().padStart(16, "0");
