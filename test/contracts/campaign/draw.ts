import { hexlify } from "ethers";
import { mulberry32 } from "../../../examples/simulate.ts";

/** Everything random in a campaign comes out of one seed. */
export class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to draw from");
    return item;
  }

  bytes(size: number): string {
    return hexlify(Uint8Array.from({ length: size }, () => this.below(256)));
  }

  word(): string {
    return this.bytes(32);
  }

  /** One of several acts, each as often as its weight says. */
  act<T>(weighted: readonly (readonly [weight: number, act: T])[]): T {
    let left = this.#next() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of weighted) {
      left -= weight;
      if (left < 0) return act;
    }
    throw new Error("nothing to draw from");
  }
}
