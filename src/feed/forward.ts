import { setTimeout as pause } from "node:timers/promises";
import { hex } from "../bytes/bytes.ts";
import { random, type Now } from "../bytes/random.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Listen } from "./listen.ts";
import { messageLine, type OfPatient } from "./monitor-lines.ts";
import { MonitorLink, MonitorLinkError, type LinkTrouble } from "./monitor-link.ts";
import { Pace } from "./pace.ts";
import type { Arrival, FeedJournal, Row } from "./state.ts";

/** Milliseconds between two tries to reach the monitor. */
const RETRY = 1000;
/** Messages that may be under way; beyond, the monitor's word is waited for. */
const UNDER_WAY = 4096;
/** Characters that are written at once. */
const PIECE = 1 << 16;

export interface ForwardOptions {
  readonly at: Listen;
  readonly credential: string;
  /** Seconds for which readings are kept for the monitor after they were sealed. */
  readonly keep: number;
  /** Whether the disk has too little room to keep anything for the monitor. */
  readonly isTight: () => boolean;
  readonly events: {
    here(behind: number): void;
    /** Once, and again when it is for another reason. */
    away(code: LinkTrouble): void;
    sent(messages: number): void;
    gaveUp(messages: number): void;
  };
}

/** How the monitor does. */
export interface MonitorStanding {
  readonly connected: boolean;
  /** Messages that it is not known to have. */
  readonly behind: number;
  /** Unix seconds since which it is away, or takes nothing though something waits. */
  readonly since: number | undefined;
  /** Messages that were dropped before it had them, since the gateway was started. */
  readonly gaveUp: number;
}

/** A row whose messages were sent. */
interface UnderWay {
  readonly row: number;
  /** It has them once it has taken all before this place. */
  readonly sent: number;
  /** The first place behind the row. */
  readonly end: number;
}

/**
 * Passes on to a monitor beside the gateway what was stored, in its order, each message until the monitor has durably taken it. It works
 * behind the intake and never in it: what the monitor lacks waits in the journal's rows, which are not dropped before `needed`.
 */
export class Forwarder {
  readonly #journal: FeedJournal;
  readonly #gateway: Pick<Gateway, "leave">;
  readonly #now: Now;
  readonly #options: ForwardOptions;
  readonly #pace = new Pace();
  /** The first row, and the first place, that the monitor is not known to have. */
  #row: number;
  #place: number;
  #underWay: UnderWay[] = [];
  #awaySince: number;
  #waitingSince: number | undefined;
  #gaveUp = 0;
  #trouble: LinkTrouble | undefined;
  #link: MonitorLink | undefined;
  #wake: () => void = () => undefined;

  constructor(journal: FeedJournal, gateway: Pick<Gateway, "leave">, now: Now, options: ForwardOptions) {
    this.#journal = journal;
    this.#gateway = gateway;
    this.#now = now;
    this.#options = options;
    const { cleared, rows, next } = journal.state.position;
    this.#row = cleared;
    let first: number | undefined;
    for (let row = cleared; row < rows && first === undefined; row++) first = placesIn(journal.state.look(row))[0];
    this.#place = first ?? next;
    this.#awaySince = now();
  }

  /** Something was stored. */
  stored(): void {
    this.#waitingSince ??= this.#now();
    this.#wake();
  }

  get standing(): MonitorStanding {
    const behind = this.#journal.state.position.next - this.#place;
    const connected = this.#link !== undefined;
    const waitingSince = behind > 0 ? this.#waitingSince : undefined;
    return { connected, behind, since: connected ? waitingSince : this.#awaySince, gaveUp: this.#gaveUp };
  }

  /**
   * The first row that must stay for the monitor. What was kept for long enough is given up, and all that is sealed where the disk has little
   * room, so that no reading is refused for what waits here.
   */
  async needed(): Promise<number> {
    const { state } = this.#journal;
    let gaveUp = 0;
    while (this.#row < state.position.uncutRow) {
      const row = state.look(this.#row);
      const isKept = (row.at(-1)?.seen.received ?? 0) >= this.#now() - this.#options.keep;
      if (isKept && !this.#options.isTight()) break;
      const before = this.#place;
      this.#settle(this.#row, endOf(row, before));
      gaveUp += this.#place - before;
      await this.#pace.rest();
    }
    if (gaveUp > 0) {
      this.#gaveUp += gaveUp;
      this.#options.events.gaveUp(gaveUp);
    }
    return this.#row;
  }

  /** Until it is told to stop. @throws JournalFailedError. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#follow(stop);
      } catch (error) {
        if (!(error instanceof MonitorLinkError)) throw error;
        if (!stop.aborted && this.#trouble !== error.code) this.#options.events.away(error.code);
        this.#trouble = error.code;
      }
      if (this.#link) this.#awaySince = this.#now();
      this.#link?.close();
      this.#link = undefined;
      await pause(RETRY, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** As long as the connection holds. @throws MonitorLinkError, JournalFailedError. */
  async #follow(stop: AbortSignal): Promise<void> {
    const { at, credential, events } = this.#options;
    const { state } = this.#journal;
    const link = await MonitorLink.open({ at, credential, journal: await this.#name(), stop });
    this.#link = link;
    link.onChange(() => this.#wake());
    // It has taken what this journal never had: another counting begins, and what comes twice counts once.
    if (link.taken > state.position.next) return void (await this.#rename());
    this.#trouble = undefined;
    this.#waitingSince = this.#now();
    events.here(this.standing.behind);
    this.#underWay = [];
    for (let row = this.#row; !stop.aborted;) {
      if (link.error) throw link.error;
      this.#confirm(link);
      row = Math.max(row, this.#row);
      if (row < state.position.rows && link.sent - link.taken < UNDER_WAY) await this.#send(link, row++, stop);
      else await this.#change(link);
    }
  }

  /** Sends of a row what the monitor lacks and is to have. */
  async #send(link: MonitorLink, number: number, stop: AbortSignal): Promise<void> {
    const row = this.#journal.state.look(number);
    let [text, messages] = ["", 0];
    for (const [i, arrival] of row.entries()) {
      const { place = -1 } = arrival.seen;
      const patients = place < link.taken ? [] : this.#watched(arrival, link);
      if (patients.length > 0) {
        text += messageLine(place, patients);
        messages += 1;
        link.sent = place + 1;
      }
      if (text.length < PIECE && i + 1 < row.length) continue;
      if (text !== "") link.write(text);
      text = "";
      while (!link.hasRoom && !stop.aborted) await this.#change(link);
    }
    if (messages > 0) this.#options.events.sent(messages);
    this.#underWay.push({ row: number, sent: link.sent, end: endOf(row, this.#place) });
    await this.#pace.rest();
  }

  #watched({ groups }: Arrival, { patients }: MonitorLink): OfPatient[] {
    return groups.flatMap(({ write, observations: readings }) => {
      const grantor = this.#gateway.leave(write as `0x${string}`)?.grantor;
      return grantor !== undefined && patients.has(grantor) ? [{ grantor, readings }] : [];
    });
  }

  #confirm({ taken }: MonitorLink): void {
    for (let [first] = this.#underWay; first && first.sent <= taken; [first] = this.#underWay) {
      this.#underWay.shift();
      if (first.row < this.#row) continue;
      this.#settle(first.row, first.end);
      this.#waitingSince = this.#place < this.#journal.state.position.next ? this.#now() : undefined;
    }
  }

  /** Nothing of a row is needed any more. */
  #settle(row: number, end: number): void {
    this.#row = row + 1;
    this.#place = Math.max(this.#place, end);
  }

  /** Resolves when something has changed, and what was stored is acknowledged. @throws MonitorLinkError. */
  async #change(link: MonitorLink): Promise<void> {
    if (!link.error) await new Promise<void>((changed) => (this.#wake = changed));
    await new Promise(setImmediate);
    if (link.error) throw link.error;
  }

  async #name(): Promise<string> {
    return this.#journal.state.monitor.get("")?.journal ?? this.#rename();
  }

  async #rename(): Promise<string> {
    const journal = hex(random(16));
    await this.#journal.write(() => this.#journal.state.monitor.set("", { journal }));
    return journal;
  }
}

const placesIn = (row: Row): number[] => row.flatMap(({ seen }) => seen.place ?? []);

const endOf = (row: Row, otherwise: number): number => (placesIn(row).at(-1) ?? otherwise - 1) + 1;
