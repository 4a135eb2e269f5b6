import { EXIT, MedSealError } from "../errors.ts";
import { JournalFailedError } from "../state/rows.ts";
import type { Log } from "./log.ts";

/** After these what is in memory may not be what is on the disk, or nothing may be done at all. */
export const isFatal = (error: unknown): boolean =>
  (error instanceof JournalFailedError && !error.full) ||
  (error instanceof MedSealError && error.exit === EXIT.unrecoverable);

/** What a gateway does again and again. */
export const STEPS = ["heed", "seal", "anchor", "follow"] as const;
export type Step = (typeof STEPS)[number];

/** How the steps go: told when that changes, and not each time. */
export class Steps {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #last = new Map<Step, number>();
  readonly #trouble = new Map<Step, string>();

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** @returns whether it succeeded. @throws what only a new start helps against, and faults of the program. */
  async run(step: Step, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof MedSealError) || isFatal(error)) throw error;
      if (this.#trouble.get(step) !== error.code)
        this.#log("warn", "step.failed", { step, code: error.code, reason: error.message });
      this.#trouble.set(step, error.code);
      return false;
    }
    if (this.#trouble.delete(step)) this.#log("info", "step.recovered", { step });
    this.#last.set(step, this.#now());
    return true;
  }

  lastSuccess(step: Step): number | undefined {
    return this.#last.get(step);
  }

  get troubles(): readonly (readonly [Step, string])[] {
    return [...this.#trouble];
  }
}
