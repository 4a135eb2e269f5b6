import type { Row } from "./state.ts";

/** Bytes of the lines held: their objects take some times as much, and each may keep its whole line alive. */
export const MOST = 8 << 20;

/** Rows that came a moment ago, so that sealing does not read them again. What finds no room is read from the journal. */
export class RecentRows {
  readonly #rows = new Map<number, { readonly row: Row; readonly bytes: number }>();
  #held = 0;

  /** Once it is durable. @param bytes - Of the lines that it came in. */
  add(number: number, row: Row, bytes: number): void {
    if (this.#held + bytes > MOST) return;
    this.#rows.set(number, { row, bytes });
    this.#held += bytes;
  }

  /** When sealing does not get on: what waits for long is on the disk. */
  clear(): void {
    this.#rows.clear();
    this.#held = 0;
  }

  /** The row, which is still held. */
  look(number: number): Row | undefined {
    return this.#rows.get(number)?.row;
  }

  /** @returns the row, which is then held no longer. */
  take(number: number): Row | undefined {
    const found = this.#rows.get(number);
    if (!found) return undefined;
    this.#rows.delete(number);
    this.#held -= found.bytes;
    return found.row;
  }
}
