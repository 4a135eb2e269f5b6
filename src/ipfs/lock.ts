/**
 * Lets puts go on together, and pinning, removing and collecting each alone: collecting must not take a block between
 * the moment a pin finds it and the moment the pin is recorded. First come, first served.
 */
export class StoreLock {
  #last: Promise<unknown> = Promise.resolve();
  readonly #shared = new Set<Promise<unknown>>();

  shared<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    const settled: Promise<unknown> = result.then(ignore, ignore).then(() => this.#shared.delete(settled));
    this.#shared.add(settled);
    return result;
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const before = [this.#last, ...this.#shared];
    const result = Promise.all(before).then(work);
    this.#last = result.catch(ignore);
    return result;
  }
}

function ignore(): void {
  // Whoever asked for the work gets its failure; the next in line only waits.
}
