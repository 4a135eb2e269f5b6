import type { Alert } from "../alerts/alert.ts";
import type { Status } from "../alerts/state.ts";
import type { Told } from "../alerts/told.ts";
import { Journal } from "../state/journal.ts";
import type { Rows } from "../state/rows.ts";
import { alertOf, type SignedAnswer } from "./answer.ts";
import { DeskState, standingKey, type Fed, type PendingNotice } from "./desk-state.ts";
import type { Entry } from "./entry.ts";
import { AnswerRefusedError, PlanInvalidError } from "./errors.ts";
import { noticesOf, type Notice } from "./notice.ts";
import type { Raise } from "./once.ts";
import { PlanMonitor } from "./plan-monitor.ts";
import type { SignedPlan, Source } from "./plan.ts";
import { planRaises, raiseKey, type KeptRaise } from "./raises.ts";

/** A notice, by its id, that a channel has. */
export interface Mark {
  readonly id: string;
  readonly channel: string;
}

/** Milliseconds after which a plan is looked at again though nothing came for it. */
const TICK = 1000;

/** Away for longer than so many periods, a monitor says nothing of what it may not have been given. */
const AWAY = 2;

/**
 * The monitors of many plans, and all that they must not lose, in one journal. What `take` has been given, and every
 * alert and notice that follows from it, is durable together before the notices go out; killed at any moment, a desk
 * that is opened again is where it stood. Calls come one after the other.
 */
export class Desk {
  readonly #journal: Journal;
  readonly #state: DeskState;
  readonly #monitors: Map<string, PlanMonitor>;
  readonly #ticked = new Map<string, number>();
  #turn = 0;
  #compacted = 0;

  /** @param key - 32 secret bytes, kept outside of the rows. @throws JournalBusyError, JournalFailedError. */
  constructor(rows: Rows, key: Uint8Array) {
    this.#journal = new Journal(rows, key);
    this.#state = new DeskState(this.#journal);
    this.#monitors = this.#state.monitors();
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
    return this.#state.now;
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
    return this.#state.standings.get(standingKey(plan, source));
  }

  /** What plans want on chain, oldest first. */
  get raises(): readonly KeptRaise[] {
    return this.#state.raises.entries().map(([, raise]) => raise);
  }

  /** Notes how far one has come; a signature that came meanwhile stays. */
  async noteRaise(raise: Raise, change: Partial<KeptRaise>): Promise<void> {
    const key = raiseKey(raise);
    const kept = this.#state.raises.get(key);
    if (kept) await this.#journal.write(() => this.#state.raises.set(key, { ...kept, ...change }));
  }

  /** Forgets a signature that the contract did not take. */
  async dropSignature(raise: Raise): Promise<void> {
    const kept = this.#state.raises.get(raiseKey(raise));
    if (kept === undefined) return;
    const { signature: _, ...rest } = kept;
    await this.#journal.write(() => this.#state.raises.set(raiseKey(raise), rest));
  }

  /** Notices that not every channel is known to have. */
  get pending(): readonly PendingNotice[] {
    return this.#state.notices.entries().map(([, pending]) => pending);
  }

  /** Readings of a source that were taken. */
  taken(source: string): number {
    return this.#state.sources.get(source) ?? 0;
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
    const at = Math.max(now, this.now);
    const { monitor, entries } = PlanMonitor.begin(signed, at);
    const before = this.#monitors.get(signed.plan.replaces ?? "");
    if (before && before.signed.write !== signed.write)
      throw new PlanInvalidError("it replaces one that was signed for another leave");
    const last = before && before.endedAt === undefined ? before.end(id, at) : [];
    await this.#journal.write(() => {
      this.#state.addPlan(signed, monitor);
      this.#state.keepEntries(id, entries);
      this.#state.keepMonitor(id, monitor);
      if (before) {
        this.#state.keepEntries(before.signed.plan.id, last);
        this.#state.keepMonitor(before.signed.plan.id, before);
      }
      this.#state.moveTo(at);
    });
    this.#monitors.set(id, monitor);
  }

  /**
   * Takes readings in, and finds what time has brought about until now.
   *
   * @param source - Of which these are the next readings; one that is given again goes on behind `taken`.
   * @param count - By which `taken` of the source rises.
   * @returns the notices that are to go out. They are durable.
   */
  async take(fed: readonly Fed[], now: number, source?: string, count = fed.length): Promise<readonly Notice[]> {
    const at = Math.max(now, this.now);
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
      if (fed.length > 0) this.#state.keepReadings(fed);
      for (const { plan, recorded } of fed)
        if ("report" in recorded) this.#state.standings.set(standingKey(plan, recorded), recorded.report);
      if (source !== undefined) this.#state.sources.set(source, this.taken(source) + count);
    });
  }

  /** What a responder says. @throws AnswerRefusedError, NoSuchAlertError. */
  async answer(signed: SignedAnswer, now: number): Promise<readonly Notice[]> {
    const at = Math.max(now, this.now);
    const found = [...this.#monitors].find(([, one]) => alertOf(one.signed.plan, signed.answer.alert) !== undefined);
    if (found === undefined) throw new AnswerRefusedError("no plan here has such an alert");
    const [id, monitor] = found;
    const told = monitor.answer(signed, at);
    return this.#keep(new Map([[id, told]]), at, () => {
      const { onChain: signature, answer } = signed;
      const raise = this.raises.findLast((one) => one.plan === id && answer.alert.endsWith(`/${one.alert}`));
      if (raise && signature !== undefined) this.#state.raises.set(raiseKey(raise), { ...raise, signature });
    });
  }

  /**
   * Writes down what was evaluated, plan by plan, as long as there is time for it.
   *
   * @param spare - Milliseconds; at least one plan that owes something has its turn.
   */
  async state(now: number, spare = Infinity): Promise<void> {
    const at = Math.max(now, this.now);
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
      const { notices } = this.#state;
      for (const { id, channel } of marks) {
        const pending = notices.get(id);
        const isFresh = pending !== undefined && !pending.done.includes(channel);
        fresh.push(isFresh);
        if (!isFresh) continue;
        const done = [...pending.done, channel];
        if (channels.every((one) => done.includes(one))) notices.delete(id);
        else notices.set(id, { notice: pending.notice, done });
      }
    });
    return fresh;
  }

  /** Entries of a plan that are not known to be sealed, in their order. */
  unsealed(plan: string): readonly Entry[] {
    return this.#state.unsealed(plan);
  }

  /** Notes that the entries of a plan before number `n` are sealed. */
  async sealed(plan: string, n: number): Promise<void> {
    await this.#journal.write(() => this.#state.dropEntries(plan, n));
  }

  close(): void {
    this.#journal.close();
  }

  /** Goes on at a time: what may have been missed since the last change is not claimed to have been seen. */
  resume(now: number): void {
    for (const monitor of this.#monitors.values()) {
      if (this.now > 0 && now - this.now > AWAY * monitor.signed.plan.period) monitor.skip(now);
    }
  }

  async #keep(entries: ReadonlyMap<string, Entry[]>, now: number, also = (): void => {}): Promise<readonly Notice[]> {
    const notices: Notice[] = [];
    await this.#journal.write(() => {
      also();
      for (const [id, told] of entries) {
        const monitor = this.#monitors.get(id) as PlanMonitor;
        this.#state.keepEntries(id, told);
        this.#state.keepMonitor(id, monitor);
        planRaises(this.#state.raises, monitor.signed.plan, told);
        notices.push(...noticesOf(monitor.signed.plan, told, monitor.alerts, this.raises));
      }
      for (const notice of notices) this.#state.notices.set(notice.id, { notice, done: [] });
      this.#state.moveTo(now);
    });
    return notices;
  }

  async #compact(id: string): Promise<void> {
    if (!this.#state.isLong(id, this.#monitors.size)) return;
    const { timelines } = this.#monitors.get(id) as PlanMonitor;
    await this.#journal.write(() => this.#state.compact(id, timelines));
  }
}
