/** Milliseconds of work at a stretch. */
const STRETCH = 1;

/** Lets what came meanwhile be stored, now and then: at each step the work would be no faster than what comes. */
export class Pace {
  #since = 0;

  async rest(): Promise<void> {
    if (performance.now() - this.#since < STRETCH) return;
    await new Promise((done) => setImmediate(done));
    this.#since = performance.now();
  }
}
