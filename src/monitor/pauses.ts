import { setTimeout as pause } from "node:timers/promises";

/** Pauses before another try, in milliseconds: doubled each time. */
const PAUSE = { first: 1000, longest: 60_000 };

export type Wait = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** Keeps no process alive; ends with the signal. */
const waitFor: Wait = async (milliseconds, signal) => {
  await pause(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
};

/** Tries that come one after the other, at growing pauses. */
export class Pauses {
  readonly #wait: Wait;
  #next = PAUSE.first;

  constructor(wait: Wait = waitFor) {
    this.#wait = wait;
  }

  pass(signal: AbortSignal): Promise<void> {
    const now = this.#next;
    this.#next = Math.min(2 * now, PAUSE.longest);
    return this.#wait(now, signal);
  }

  /** After what has held for so many milliseconds. */
  held(milliseconds: number): void {
    if (milliseconds > PAUSE.longest) this.#next = PAUSE.first;
  }
}
