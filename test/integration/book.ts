import type { ReceiptBook } from "../../src/disclosure/book.ts";
import type { Disclosure } from "../../src/disclosure/receipt.ts";

/** A book that keeps what was written, and can be broken. */
export class MemoryBook implements ReceiptBook {
  readonly written: Disclosure[] = [];
  readonly clock = 1_772_352_123;
  broken = false;

  write(disclosure: Disclosure): Promise<{ at: number }> {
    if (this.broken) return Promise.reject(new Error("disk full"));
    this.written.push(disclosure);
    return Promise.resolve({ at: this.clock });
  }
}
