/**
 * Lets puts go on together, and pinning, removing and collecting each alone: collecting must not take a block between
 * the moment a pin finds it and the moment the pin is recorded. First come, first served.
 */
export class StoreLock {
  #last: Promise<unknown> = Promise.resolve();
  #shared: Promise<unknown>[] = [];

  shared<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#shared.push(result.catch(ignore));
    return result;
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    const before = [this.#last, ...this.#shared];
    this.#shared = [];
    const result = Promise.all(before).then(work);
    this.#last = result.catch(ignore);
    return result;
  }
}

function ignore(): void {
  // Whoever asked for the work gets its failure; the next in line only waits.
}
