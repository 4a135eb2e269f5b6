import type { Row } from "./state.ts";

/** Messages and readings held. */
const MOST = 65_536;

/** Rows that came a moment ago, so that sealing does not read them again. What finds no room is read from the journal. */
export class RecentRows {
  readonly #rows = new Map<number, Row>();
  #held = 0;

  /** Once it is durable. */
  add(number: number, row: Row): void {
    const size = sizeOf(row);
    if (this.#held + size > MOST) return;
    this.#rows.set(number, row);
    this.#held += size;
  }

  /** When sealing does not get on: what waits for long is on the disk. */
  clear(): void {
    this.#rows.clear();
    this.#held = 0;
  }

  /** @returns the row, which is then held no longer. */
  take(number: number): Row | undefined {
    const row = this.#rows.get(number);
    if (!row) return undefined;
    this.#rows.delete(number);
    this.#held -= sizeOf(row);
    return row;
  }
}

const sizeOf = (row: Row): number =>
  row.reduce((sum, { groups }) => groups.reduce((all, { observations }) => all + observations.length, sum + 1), 0);
