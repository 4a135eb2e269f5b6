import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import type { Alert } from "../alerts/alert.ts";
import type { Heard } from "../alerts/reading.ts";
import type { TimelinePast } from "../alerts/timeline.ts";
import type { Told } from "../alerts/told.ts";
import { inOrder, type Blobs, type Journal, type Table } from "../state/journal.ts";
import { parseState, stringifyState } from "../state/json.ts";
import type { Entry } from "./entry.ts";
import type { Notice } from "./notice.ts";
import { formatPlan, parsePlan, type SignedPlan, type Source } from "./plan.ts";
import { PlanMonitor, type Stated } from "./plan-monitor.ts";
import type { KeptRaise } from "./raises.ts";

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

/** Rows of readings that are kept before a snapshot takes their place. */
const ROWS = 60;

/**
 * All that a desk must not lose, and the monitors as they stand by it. What changes it is to be called inside a write of the journal; what a
 * monitor has become is kept by `keepMonitor` with the entries that it made.
 */
export class DeskState {
  readonly notices: Table<PendingNotice>;
  /** Readings of a source that were taken. */
  readonly sources: Table<number>;
  /** What was last told of a source of a plan, by `standingKey`. */
  readonly standings: Table<Told["report"]>;
  readonly raises: Table<KeptRaise>;
  readonly #plans: Table<KeptPlan>;
  readonly #alerts: Table<Alert>;
  readonly #stated: Table<Stated>;
  readonly #entries: Table<readonly Entry[]>;
  readonly #position: Table<Position>;
  readonly #rows: Blobs;
  readonly #snapshots: Blobs;
  /** By plan: keys of its alerts, and of its entries that are not sealed. */
  readonly #known = new Map<string, ReadonlySet<string>>();
  readonly #unsealed = new Map<string, string[]>();

  constructor(journal: Journal) {
    this.notices = journal.table("notice");
    this.sources = journal.table("source");
    this.standings = journal.table("standing");
    this.raises = journal.table("raise");
    this.#plans = journal.table("plan");
    this.#alerts = journal.table("alert");
    this.#stated = journal.table("stated");
    this.#entries = journal.table("entry");
    this.#position = journal.table("position");
    this.#rows = journal.blobs("readings");
    this.#snapshots = journal.blobs("snapshot");
  }

  /** Milliseconds of the last change. */
  get now(): number {
    return this.#at.now;
  }

  moveTo(now: number): void {
    this.#move({ now });
  }

  /** The monitors of all plans, as they stood at the last change; to be asked once. */
  monitors(): Map<string, PlanMonitor> {
    for (const [key] of this.#entries.entries()) push(this.#unsealed, key.slice(0, key.indexOf("/")), key);
    const readings = this.#readings();
    return new Map(this.#plans.entries().map(([id, plan]) => [id, this.#monitor(id, plan, readings.get(id) ?? [])]));
  }

  addPlan({ plan, write, signature }: SignedPlan, { n, timelines }: PlanMonitor): void {
    this.#plans.set(plan.id, { text: formatPlan(plan), write, signature, n, since: this.#at.next });
    this.#snapshots.set(plan.id, bytesOf([...timelines]));
  }

  keepReadings(fed: readonly Fed[]): void {
    const { next } = this.#at;
    this.#rows.set(inOrder(next), bytesOf(fed));
    this.#move({ next: next + 1 });
  }

  keepEntries(id: string, entries: readonly Entry[]): void {
    const [first] = entries;
    if (first === undefined) return;
    const key = `${id}/${inOrder(first.n)}`;
    this.#entries.set(key, entries);
    push(this.#unsealed, id, key);
  }

  /** Writes what has changed: values are replaced, never altered. */
  keepMonitor(id: string, { alerts, stated, n, endedAt }: PlanMonitor): void {
    const plan = this.#plans.get(id) as KeptPlan;
    if (plan.n !== n) this.#plans.set(id, { ...plan, n, ...(endedAt === undefined ? {} : { endedAt }) });
    const keys = new Set(alerts.map((alert) => `${id}/${alert.id}`));
    for (const alert of alerts) set(this.#alerts, `${id}/${alert.id}`, alert);
    for (const key of this.#known.get(id) ?? []) if (!keys.has(key)) this.#alerts.delete(key);
    this.#known.set(id, keys);
    for (const [rule, one] of stated) set(this.#stated, `${id}/${rule}`, one);
  }

  /** Whether so much came since a plan's snapshot that it is to be made anew. */
  isLong(id: string, plans: number): boolean {
    const { since } = this.#plans.get(id) as KeptPlan;
    return this.#at.next - since >= Math.max(ROWS, 2 * plans);
  }

  /** Writes what a plan's timelines know, so that rows of readings need not be kept for it. */
  compact(id: string, timelines: PlanMonitor["timelines"]): void {
    const { first, next } = this.#at;
    this.#snapshots.set(id, bytesOf([...timelines]));
    this.#plans.set(id, { ...(this.#plans.get(id) as KeptPlan), since: next });
    const needed = Math.min(...this.#plans.entries().map(([, { since }]) => since));
    for (let row = first; row < needed; row++) this.#rows.delete(inOrder(row));
    this.#move({ first: Math.max(first, needed) });
  }

  /** Entries of a plan that are not known to be sealed, in their order. */
  unsealed(plan: string): readonly Entry[] {
    return this.#unsealedKeys(plan).flatMap((key) => this.#entries.get(key) ?? []);
  }

  /** Forgets the entries of a plan before number `n`. */
  dropEntries(plan: string, n: number): void {
    for (const key of this.#unsealedKeys(plan)) {
      const entries = this.#entries.get(key) ?? [];
      const left = entries.filter((entry) => entry.n >= n);
      if (left.length === 0) this.#entries.delete(key);
      else if (left.length < entries.length) this.#entries.set(key, left);
    }
  }

  /** Those that are still there: a write that failed takes its entries back, one that took place may have dropped some. */
  #unsealedKeys(plan: string): readonly string[] {
    const keys = (this.#unsealed.get(plan) ?? []).filter((key) => this.#entries.get(key) !== undefined);
    this.#unsealed.set(plan, keys);
    return keys;
  }

  #readings(): Map<string, Heard[]> {
    const readings = new Map<string, Heard[]>();
    const { first, next } = this.#at;
    for (let row = first; row < next; row++) {
      for (const { plan, recorded } of parse<readonly Fed[]>(this.#rows.get(inOrder(row))) ?? []) {
        if (row < (this.#plans.get(plan)?.since ?? Infinity)) continue;
        push(readings, plan, recorded);
      }
    }
    return readings;
  }

  #monitor(id: string, { text, write, signature, n, endedAt }: KeptPlan, readings: readonly Heard[]): PlanMonitor {
    const alerts = under(this.#alerts, id);
    this.#known.set(id, new Set(alerts.map(([key]) => `${id}/${key}`)));
    const past = {
      timelines: new Map(parse<[string, TimelinePast][]>(this.#snapshots.get(id)) ?? []),
      readings,
      alerts: alerts.map(([, alert]) => alert),
      stated: new Map(under(this.#stated, id)),
      n,
      ...(endedAt === undefined ? {} : { endedAt }),
    };
    return new PlanMonitor({ plan: parsePlan(text), write, signature }, past);
  }

  get #at(): Position {
    return this.#position.get("") ?? { first: 0, next: 0, now: 0 };
  }

  #move(change: Partial<Position>): void {
    this.#position.set("", { ...this.#at, ...change });
  }
}

/** The rows of a plan, without its id in their names. */
const under = <T>(table: Table<T>, id: string): [string, T][] =>
  table
    .entries()
    .filter(([key]) => key.startsWith(`${id}/`))
    .map(([key, value]) => [key.slice(id.length + 1), value]);

function set<T>(table: Table<T>, key: string, value: T): void {
  if (table.get(key) !== value) table.set(key, value);
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

const parse = <T>(bytes: Uint8Array | undefined): T | undefined => bytes && (parseState(fromUtf8(bytes)) as T);

const bytesOf = (value: unknown): Uint8Array => utf8(stringifyState(value));

export const standingKey = (plan: string, { channels }: Pick<Source, "channels">): string =>
  `${plan}/${JSON.stringify(channels.map(({ system, code, unit }) => [system, code, unit]))}`;
