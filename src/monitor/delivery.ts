import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Desk, Mark } from "./desk.ts";
import { DeliveryFailedError } from "./errors.ts";
import type { Notice } from "./notice.ts";
import { Pauses, type Wait } from "./pauses.ts";
import { receiverAddress, signNotice, unixSeconds } from "./receiver.ts";

/** A way to tell somebody. */
export interface Channel {
  readonly name: string;
  /**
   * `once`: after a crash it is not known whether the notice was shown, so it is not shown again. `atLeastOnce`: it is
   * delivered until that has succeeded, and may come twice, under one id.
   */
  readonly mode: "once" | "atLeastOnce";
  /** @throws DeliveryFailedError, or what the system says. */
  deliver(notice: Notice, signal: AbortSignal): Promise<void>;
  /** For a channel that learns of an outage before there is a notice. */
  readonly start?: (told: Told) => void;
  readonly close?: () => Promise<void>;
}

export type ClosableChannel = Channel & Required<Pick<Channel, "close">>;

/** Who hears of a channel's outages. */
export interface Told {
  /** Of each try that failed. */
  failed(error: unknown): void;
  /** After such tries. */
  works(): void;
}

/** Lines on a terminal. */
export const consoleChannel = (write: (notice: Notice) => void): Channel => ({
  name: "console",
  mode: "once",
  deliver: (notice) => Promise.resolve(write(notice)),
});

/** A file of one JSON line a notice, each once: what a crash cut off is taken away when the file is opened again. */
export function fileChannel(path: string): ClosableChannel {
  const file = openSync(path, "a+", 0o600);
  const bytes = readFileSync(file);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < fstatSync(file).size) ftruncateSync(file, whole);
  const lines = bytes.subarray(0, whole).toString("utf8").split("\n").slice(0, -1);
  const there = new Set(lines.map(idOf));
  return {
    name: "file",
    mode: "atLeastOnce",
    // Not async: two at once must not write into one another.
    deliver(notice) {
      if (!there.has(notice.id)) {
        writeSync(file, `${JSON.stringify(notice)}\n`);
        fsyncSync(file);
        there.add(notice.id);
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(closeSync(file)),
  };
}

function idOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { id?: string }).id;
  } catch {
    return undefined;
  }
}

export interface WebhookOptions {
  /** Milliseconds to wait for an answer. */
  readonly patience?: number;
  /** Unix seconds. */
  readonly now?: () => number;
}

/**
 * Posts a notice as JSON, with id, time and signature in headers (docs/formats.md, section 28).
 *
 * @throws UsageError for an address that would show the notice on its way.
 */
export function webhookChannel(url: string, secret: Uint8Array, options: WebhookOptions = {}): Channel {
  const { patience = 10_000, now = unixSeconds } = options;
  const target = receiverAddress(url, "https", "webhook");
  return {
    name: `webhook ${target.origin}${target.pathname}`,
    mode: "atLeastOnce",
    async deliver(notice, signal) {
      const { id, time, signature, body } = signNotice(secret, notice, now());
      let status: number;
      try {
        const answer = await fetch(target, {
          method: "POST",
          body,
          redirect: "manual",
          headers: {
            "content-type": "application/json",
            "medseal-id": id,
            "medseal-time": time,
            "medseal-signature": signature,
          },
          signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
        });
        ({ status } = answer);
        await answer.body?.cancel();
      } catch (cause) {
        throw new DeliveryFailedError("the webhook does not answer", { cause });
      }
      if (status < 200 || status > 299) throw new DeliveryFailedError(`the webhook answers ${status}`);
    },
  };
}

export interface DelivererDeps {
  readonly desk: Desk;
  readonly channels: readonly Channel[];
  /** Told of each try that failed. */
  readonly failed?: (channel: string, error: unknown) => void;
  /** Told of a channel that is there again. */
  readonly works?: (channel: string) => void;
  readonly wait?: Wait;
}

/** Hands notices to every channel until each has them. What is not through when the process ends goes on with the next. */
export class Deliverer {
  readonly #deps: DelivererDeps;
  readonly #stop = new AbortController();
  readonly #marks: PendingMark[] = [];
  readonly #running = new Set<Promise<void>>();
  /** Changes of the desk come one after the other. */
  readonly #inTurn: <T>(work: () => Promise<T>) => Promise<T>;

  constructor(deps: DelivererDeps, inTurn: <T>(work: () => Promise<T>) => Promise<T>) {
    this.#deps = deps;
    this.#inTurn = inTurn;
  }

  /** Takes up what an earlier process left. */
  start(): void {
    const { channels, failed, works } = this.#deps;
    for (const { name, start } of channels)
      start?.({ failed: (error) => failed?.(name, error), works: () => works?.(name) });
    for (const { notice, done } of this.#deps.desk.pending) this.#send(notice, done);
  }

  send(notices: readonly Notice[]): void {
    for (const notice of notices) this.#send(notice, []);
  }

  /** Resolves when nothing is under way any more, at the latest after so many milliseconds. */
  async settle(milliseconds: number): Promise<void> {
    const over = new AbortController();
    const late = pause(milliseconds, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#running), late]);
    over.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #send(notice: Notice, done: readonly string[]): void {
    for (const channel of this.#deps.channels) {
      if (done.includes(channel.name)) continue;
      const running = this.#deliver(notice, channel).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  async #deliver(notice: Notice, channel: Channel): Promise<void> {
    const { failed, wait } = this.#deps;
    const pauses = new Pauses(wait);
    const note = (): Promise<boolean> => this.#note({ id: notice.id, channel: channel.name });
    const { signal } = this.#stop;
    if (channel.mode === "once" && !(await note())) return;
    while (!signal.aborted) {
      try {
        await channel.deliver(notice, signal);
        if (channel.mode === "atLeastOnce") await note();
        return;
      } catch (error) {
        if (signal.aborted) return;
        failed?.(channel.name, error);
        await pauses.pass(signal);
      }
    }
  }

  /** What there is to note when the desk's turn comes is written down together. */
  #note(mark: Mark): Promise<boolean> {
    return new Promise((done, failed) => {
      this.#marks.push({ mark, done, failed });
      if (this.#marks.length > 1) return;
      void this.#inTurn(async () => {
        const marks = this.#marks.splice(0);
        const names = this.#deps.channels.map(({ name }) => name);
        try {
          const fresh = await this.#deps.desk.delivered(
            marks.map((one) => one.mark),
            names,
          );
          marks.forEach((one, i) => one.done(fresh[i] === true));
        } catch (error) {
          for (const one of marks) one.failed(error);
        }
      });
    });
  }
}

interface PendingMark {
  readonly mark: Mark;
  done(isFresh: boolean): void;
  failed(error: unknown): void;
}
