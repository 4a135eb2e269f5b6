import { inOrder } from "../gateway/state.ts";
import type { DeviceState, FeedState, Row, Seen } from "./state.ts";

/** Counters of one device that share a page. */
const PAGE = 64;
/** Messages that only their rows remember; beyond, they are put on pages. */
const LOOSE = 512;

const pageName = (device: string, counter: number): string => `${device}/${inOrder(Math.floor(counter / PAGE))}`;
const looseName = (device: string, counter: number): string => `${device}/${counter}`;

/**
 * What is known of messages that came before, and of devices. New ones are in the rows they came with, and in memory; after some hundred
 * they go to pages by device and counter, so that a commit writes one row and not one for each message.
 */
export class SeenBook {
  readonly #state: FeedState;
  readonly #loose = new Map<string, { readonly device: string; readonly counter: number; readonly seen: Seen }>();
  readonly #devices = new Map<string, DeviceState>();

  constructor(state: FeedState) {
    this.#state = state;
    for (const [device, known] of state.devices.entries()) this.#devices.set(device, known);
    for (let row = state.position.folded; row < state.position.rows; row++) this.keep(state.rowAt(row));
  }

  get(device: string, counter: number): Seen | undefined {
    // Most are new: no page needs to be looked at.
    if (counter > (this.#devices.get(device)?.highest ?? -1)) return undefined;
    const loose = this.#loose.get(looseName(device, counter));
    return loose?.seen ?? this.#state.pages.get(pageName(device, counter))?.[counter];
  }

  device(name: string): DeviceState | undefined {
    return this.#devices.get(name);
  }

  /** Once they are durable. */
  keep(row: Row): void {
    for (const { device, counter, seen } of row) {
      this.#loose.set(looseName(device, counter), { device, counter, seen });
      const before = this.#devices.get(device);
      const highest = Math.max(before?.highest ?? -1, counter);
      this.#devices.set(device, { highest, messages: (before?.messages ?? 0) + 1, received: seen.received });
    }
  }

  /** Inside a write of the journal. @param least - Not before so many are loose. @returns what is to be done once it is durable. */
  fold(least = LOOSE): () => void {
    const { pages, devices, position } = this.#state;
    if (this.#loose.size < least) return () => undefined;
    const names = [...this.#loose.keys()];
    const changed = new Map<string, Record<number, Seen>>();
    for (const { device, counter, seen } of this.#loose.values()) {
      const name = pageName(device, counter);
      const page = changed.get(name) ?? { ...pages.get(name) };
      page[counter] = seen;
      changed.set(name, page);
      devices.set(device, this.#devices.get(device) as DeviceState);
    }
    for (const [name, page] of changed) pages.set(name, page);
    this.#state.move({ folded: position.rows });
    return () => {
      for (const name of names) this.#loose.delete(name);
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
}
