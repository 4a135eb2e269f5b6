import type { Fields } from "./log.ts";

const REST = 1000;

interface Sum {
  readonly first: Fields;
  messages: number;
  readings: number;
}

/** Sums up what comes often: told once for what comes in one go, and then once a second. */
export class Sums {
  readonly #tell: (fields: Fields) => void;
  readonly #rest: number;
  readonly #sums = new Map<string, Sum>();
  readonly #resting = new Map<string, NodeJS.Timeout>();

  /** @param rest - Milliseconds between two tellings of the same. */
  constructor(tell: (fields: Fields) => void, rest = REST) {
    this.#tell = tell;
    this.#rest = rest;
  }

  /** @param first - Further fields, told of the first of a sum. */
  add(key: Fields, readings: number, first: Fields = {}): void {
    const name = JSON.stringify(key);
    let sum = this.#sums.get(name);
    if (!sum) {
      sum = { first: { ...key, ...first }, messages: 0, readings: 0 };
      this.#sums.set(name, sum);
      if (!this.#resting.has(name)) setImmediate(() => this.#say(name));
    }
    sum.messages++;
    sum.readings += readings;
  }

  /** Tells what is left. */
  end(): void {
    for (const timer of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
    for (const name of [...this.#sums.keys()]) this.#flush(name);
  }

  #say(name: string): void {
    if (!this.#flush(name)) return void this.#resting.delete(name);
    this.#resting.set(name, setTimeout(() => this.#say(name), this.#rest).unref());
  }

  #flush(name: string): boolean {
    const sum = this.#sums.get(name);
    if (!sum) return false;
    this.#sums.delete(name);
    this.#tell({ ...sum.first, messages: sum.messages, readings: sum.readings });
    return true;
  }
}
