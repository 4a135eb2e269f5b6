import { setTimeout as pause } from "node:timers/promises";
import { fromUtf8, hex } from "../bytes/bytes.ts";
import { sha256 } from "../bytes/hash.ts";
import type { Now } from "../bytes/random.ts";
import { MedSealError } from "../errors.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { inOrder } from "../state/journal.ts";
import { parseInstant } from "../observation/instant.ts";
import { JournalFailedError } from "../state/rows.ts";
import type { Device, Source } from "./config.ts";
import { DiskFullError } from "./errors.ts";
import { isReading, parseMessage, type FeedMessage } from "./message.ts";
import { keepApart } from "./quarantine.ts";
import { Routes, type NotTaken } from "./routes.ts";
import type { Arrival, FeedJournal, Level, Seen } from "./state.ts";

/** What a source is told of one line. */
export interface Answer {
  readonly device?: string;
  readonly counter?: number;
  /** `quarantined`: kept apart, and not sealed. `refused`: not kept; to be sent again. */
  readonly level: Level | "quarantined" | "refused";
  /** Readings that were kept apart, by their index. */
  readonly quarantined?: readonly NotTaken[];
  /** Indexes of readings older than the lateness bound: the patient gets them sealed, and files them. */
  readonly late?: readonly number[];
  /** Seconds that the device's clock is ahead, when that is too much. */
  readonly skew?: number;
  readonly code?: string;
  readonly reason?: string;
}

/** What others are told of what came. */
export interface IntakeEvents {
  /** The oldest epochs of what is about to be stored, by stream. */
  arriving(oldest: ReadonlyMap<string, number>): void;
  /** Of one commit: how many readings, and messages of a clock that is off. */
  stored(source: Source, readings: number, skewed: number): void;
  quarantined(source: Source, device: string, counter: number, code: string, readings: number): void;
  refused(source: Source, code: string): void;
  /** The journal did not take what came. */
  failed(error: MedSealError): void;
}

export interface IntakeOptions {
  readonly gateway: Gateway;
  readonly now: Now;
  /** Seconds. */
  readonly skew: number;
  /** @throws DiskFullError. */
  readonly room: () => Promise<void>;
  readonly levelOf: (place: number) => Level;
  readonly events: IntakeEvents;
}

/** Rows kept in quarantine, so that no source fills the disk with them. */
const MOST_QUARANTINED = 10_000;
/** Messages of one commit at the most. */
const TOGETHER = 512;
/** Of the time of a commit, until the next, and milliseconds at the most: sealing gets its share, and the next takes more at once. */
const REST = { share: 0.5, most: 5 };

interface Waiting {
  readonly source: Source;
  readonly line: Uint8Array;
  readonly answer: (answer: Answer) => void;
}

/** Takes messages: what it answers `stored` is in the journal, and on the disk. Those that come together are written together. */
export class Intake {
  readonly #journal: FeedJournal;
  readonly #options: IntakeOptions;
  #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  /** Not before then, by `performance.now`, does the next commit begin. */
  #next = 0;

  constructor(journal: FeedJournal, options: IntakeOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /** Never fails: what goes wrong is an answer, too. */
  take(source: Source, line: Uint8Array): Promise<Answer> {
    return new Promise((answer) => {
      this.#waiting.push({ source, line, answer });
      this.#working ??= this.#work();
    });
  }

  /** Resolves when all that came was answered. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working;
  }

  async #work(): Promise<void> {
    for (;;) {
      // Whatever is on its way comes with it.
      await (performance.now() < this.#next ? pause(this.#next - performance.now()) : new Promise(setImmediate));
      const began = performance.now();
      const together = this.#waiting.splice(0, TOGETHER);
      const told: (() => void)[] = [];
      let answers: Answer[] = [];
      try {
        await this.#options.room();
        const batch = new Batch(this.#journal, this.#options, (tell) => told.push(tell));
        await this.#journal.write(
          () => {
            answers = together.map(({ source, line }) => batch.take(source, line));
            batch.write();
          },
          () => batch.written(),
        );
        for (const tell of told) tell();
      } catch (error) {
        if (!(error instanceof MedSealError)) throw error;
        const { code, message } = error instanceof JournalFailedError && error.full ? new DiskFullError() : error;
        this.#options.events.failed(error);
        for (const { source } of together) this.#options.events.refused(source, code);
        answers = together.map(({ line }) => ({ ...placeOf(line), level: "refused", code, reason: message }));
      }
      for (const [i, { answer }] of together.entries()) answer(answers[i] as Answer);
      const now = performance.now();
      this.#next = now + Math.min(REST.most, REST.share * (now - began));
      if (this.#waiting.length > 0) continue;
      // In one go with the look, so that none who comes now is left waiting.
      this.#working = undefined;
      return;
    }
  }
}

/** The messages of one commit; inside a write of the journal. */
class Batch {
  readonly #journal: FeedJournal;
  readonly #options: IntakeOptions;
  readonly #routes: Routes;
  readonly #tell: (tell: () => void) => void;
  /** Not on disk yet. */
  readonly #row = new Map<string, Arrival>();
  readonly #stored = new Map<Source, { readonly readings: number; readonly skewed: number }>();
  #place: number;
  /** Of its row. */
  readonly #number: number;
  /** Of the lines in its row. */
  #bytes = 0;
  #folded: () => void = () => undefined;

  constructor(journal: FeedJournal, options: IntakeOptions, tell: (tell: () => void) => void) {
    this.#journal = journal;
    this.#options = options;
    this.#routes = new Routes(options.gateway);
    this.#tell = tell;
    const { next, rows } = journal.state.position;
    this.#place = next;
    this.#number = rows;
  }

  /** After the last message. */
  write(): void {
    const { state, seen } = this.#journal;
    this.#folded = seen.fold();
    if (this.#row.size === 0) return;
    state.rows.set(inOrder(this.#number), [...this.#row.values()]);
    state.move({ rows: this.#number + 1, next: this.#place });
  }

  written(): void {
    const { state, seen } = this.#journal;
    const row = [...this.#row.values()];
    this.#folded();
    if (row.length === 0) return;
    seen.keep(this.#number, row);
    state.recent.add(this.#number, row, this.#bytes);
    for (const [source, { readings, skewed }] of this.#stored) this.#options.events.stored(source, readings, skewed);
  }

  take(source: Source, line: Uint8Array): Answer {
    const { events } = this.#options;
    const message = parseMessage(line);
    if ("refused" in message) {
      this.#tell(() => events.refused(source, "ERR_MESSAGE"));
      return { level: "refused", code: "ERR_MESSAGE", reason: message.refused };
    }
    const named = { device: message.device, counter: message.counter };
    const device = source.devices.find(({ name }) => name === message.device);
    if (!device) return { ...named, ...this.#quarantine(source, message, line, "ERR_UNKNOWN_DEVICE") };
    const digest = hex(sha256(line));
    const name = `${message.device}/${message.counter}`;
    const seen = this.#row.get(name)?.seen ?? this.#journal.seen.get(message.device, message.counter);
    if (!seen) return { ...named, ...this.#first(source, device, message, line, digest, name) };
    if (seen.digest !== digest) return { ...named, ...this.#quarantine(source, message, line, "ERR_CLONED_DEVICE") };
    return { ...named, level: seen.place === undefined ? "quarantined" : this.#options.levelOf(seen.place) };
  }

  #first(source: Source, device: Device, message: FeedMessage, line: Uint8Array, digest: string, name: string): Answer {
    const { now, events } = this.#options;
    const received = now();
    const { groups, oldest, notTaken, late } = this.#routes.route(device, message);
    const some = groups.length > 0;
    const place = some ? this.#place++ : undefined;
    const skew = this.#skewOf(message, received);
    const { sent, counter } = message;
    const seen: Seen = { digest, place, received, sent, skew, quarantined: notTaken.length };
    this.#row.set(name, { device: message.device, counter, groups, seen });
    this.#bytes += line.length;
    if (notTaken.length > 0) this.#keep(source, message, line, notTaken);
    if (some) {
      const readings = groups.reduce((sum, { observations }) => sum + observations.length, 0);
      // Before it is durable, so that no key is forgotten that it needs.
      events.arriving(oldest);
      const before = this.#stored.get(source) ?? { readings: 0, skewed: 0 };
      const skewed = before.skewed + (skew === undefined ? 0 : 1);
      this.#stored.set(source, { readings: before.readings + readings, skewed });
    }
    return {
      level: some ? "stored" : "quarantined",
      ...(notTaken.length > 0 ? { quarantined: notTaken } : {}),
      ...(late.length > 0 ? { late } : {}),
      ...(skew === undefined ? {} : { skew }),
    };
  }

  /** By what the device says it sent it at; otherwise only a reading from the future shows. */
  #skewOf({ sent, readings }: FeedMessage, received: number): number | undefined {
    const times = readings.flatMap((one) => (isReading(one) ? (parseInstant(one.time)?.seconds ?? []) : []));
    const ahead =
      sent === undefined
        ? Math.max(0, ...times.map((time) => time - received))
        : parseInstant(sent)!.seconds - received;
    return Math.abs(ahead) > this.#options.skew ? ahead : undefined;
  }

  #quarantine(source: Source, message: FeedMessage, line: Uint8Array, code: string): Answer {
    const kept = this.#keep(
      source,
      message,
      line,
      message.readings.map((_, index) => ({ index, code })),
    );
    return { level: kept ? "quarantined" : "refused", code };
  }

  /** @returns false when the quarantine is full; that a row came is counted all the same. */
  #keep(source: Source, message: FeedMessage, line: Uint8Array, notTaken: readonly NotTaken[]): boolean {
    const { state } = this.#journal;
    const { device, counter } = message;
    for (const code of new Set(notTaken.map((one) => one.code))) {
      const readings = notTaken.filter((one) => one.code === code).length;
      this.#tell(() => this.#options.events.quarantined(source, device, counter, code, readings));
    }
    if (state.position.kept >= MOST_QUARANTINED) return false;
    const received = this.#options.now();
    keepApart(this.#journal, { source: source.name, device, counter, received, notTaken, line: fromUtf8(line) });
    return true;
  }
}

function placeOf(line: Uint8Array): Pick<Answer, "device" | "counter"> {
  const message = parseMessage(line);
  return "refused" in message ? {} : { device: message.device, counter: message.counter };
}
