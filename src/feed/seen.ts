import { inOrder } from "../state/journal.ts";
import type { DeviceState, FeedState, Row, Seen } from "./state.ts";

/** Counters of one device that share a page. */
const PAGE = 64;
/** Messages that only their rows remember; beyond, some are put on pages. */
export const LOOSE = 2048;

const pageName = (device: string, counter: number): string => `${device}/${inOrder(Math.floor(counter / PAGE))}`;

interface Loose {
  readonly seen: Seen;
  /** The number of the row it is in. */
  readonly row: number;
}

/**
 * What is known of messages that came before, and of devices. New ones are in the rows they came with, and in memory; later they go to
 * pages by device and counter, so that a commit writes one row and not one for each message, and one device's pages now and then.
 */
export class SeenBook {
  readonly #state: FeedState;
  /** By device and counter. The device whose oldest has waited longest comes first. */
  readonly #loose = new Map<string, Map<number, Loose>>();
  #count = 0;
  readonly #devices = new Map<string, DeviceState>();

  constructor(state: FeedState) {
    this.#state = state;
    for (const [device, known] of state.devices.entries()) this.#devices.set(device, known);
    for (let row = state.position.folded; row < state.position.rows; row++) {
      const some = state.rowAt(row).filter(({ device, counter }) => !this.#onPage(device, counter));
      this.keep(row, some);
    }
  }

  get(device: string, counter: number): Seen | undefined {
    // Most are new: no page needs to be looked at.
    if (counter > (this.#devices.get(device)?.highest ?? -1)) return undefined;
    return this.#loose.get(device)?.get(counter)?.seen ?? this.#onPage(device, counter);
  }

  /** Messages on no page. */
  get loose(): number {
    return this.#count;
  }

  device(name: string): DeviceState | undefined {
    return this.#devices.get(name);
  }

  /** Once they are durable. @param number - Of their row. */
  keep(number: number, row: Row): void {
    for (const { device, counter, seen } of row) {
      const mine = this.#loose.get(device) ?? new Map<number, Loose>();
      this.#loose.set(device, mine.set(counter, { seen, row: number }));
      this.#count += 1;
      const before = this.#devices.get(device);
      const highest = Math.max(before?.highest ?? -1, counter);
      this.#devices.set(device, { highest, messages: (before?.messages ?? 0) + 1, received: seen.received });
    }
  }

  /**
   * Inside a write of the journal: puts messages on pages, device by device.
   *
   * @param most - As many may stay loose.
   * @returns what is to be done once it is durable.
   */
  fold(most = LOOSE): () => void {
    const { devices, position } = this.#state;
    const folded: string[] = [];
    let count = this.#count;
    let oldest = Infinity;
    for (const [device, mine] of this.#loose) {
      if (count > most) {
        this.#foldDevice(device, mine);
        devices.set(device, this.#devices.get(device) as DeviceState);
        folded.push(device);
        count -= mine.size;
      } else oldest = Math.min(oldest, rowOf(mine));
    }
    if (folded.length === 0) return () => undefined;
    this.#state.move({ folded: Math.min(oldest, position.rows) });
    return () => {
      this.#count = count;
      for (const device of folded) this.#loose.delete(device);
    };
  }

  /** Inside a write of the journal: of counters that are on pages. */
  forget(device: string, from: number, to: number): void {
    const { pages } = this.#state;
    for (let first = from; first <= to; first = (Math.floor(first / PAGE) + 1) * PAGE) {
      const name = pageName(device, first);
      const left = Object.entries(pages.get(name) ?? {}).filter(([counter]) => +counter < from || +counter > to);
      if (left.length > 0) pages.set(name, Object.fromEntries(left));
      else pages.delete(name);
    }
  }

  #foldDevice(device: string, mine: ReadonlyMap<number, Loose>): void {
    const { pages } = this.#state;
    const changed = new Map<string, Record<number, Seen>>();
    for (const [counter, { seen }] of mine) {
      const name = pageName(device, counter);
      const page = changed.get(name) ?? { ...pages.get(name) };
      page[counter] = seen;
      changed.set(name, page);
    }
    for (const [name, page] of changed) pages.set(name, page);
  }

  #onPage(device: string, counter: number): Seen | undefined {
    if (counter > (this.#state.devices.get(device)?.highest ?? -1)) return undefined;
    return this.#state.pages.get(pageName(device, counter))?.[counter];
  }
}

/** Of the oldest: they were put in one after the other. */
const rowOf = (mine: ReadonlyMap<number, Loose>): number => mine.values().next().value?.row ?? Infinity;
