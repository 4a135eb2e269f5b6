import type { Now } from "../bytes/random.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { inOrder } from "../state/journal.ts";
import { LEVELS, type CutState, type FeedJournal, type Level, type Range, type Seen } from "./state.ts";

/** Seconds for which messages are remembered after they were anchored: one that comes again later is taken for new. */
const REMEMBERED = 30 * 86_400;

/** Messages that got to a level. */
export interface Reached {
  readonly level: Level;
  readonly ranges: Readonly<Record<string, readonly Range[]>>;
}

/** What became of one message. */
export interface Fate extends Seen {
  readonly level: Level | "quarantined";
  readonly block?: number;
  readonly blockTime?: number;
}

export interface LevelsOptions {
  readonly gateway: Gateway;
  readonly now: Now;
  /** Time of a block, in unix seconds. */
  readonly timeOf: (block: number) => Promise<number>;
  readonly reached: (reached: Reached) => void;
}

/** Follows what was sealed until it is anchored for good. */
export class Levels {
  readonly #journal: FeedJournal;
  readonly #options: LevelsOptions;

  constructor(journal: FeedJournal, options: LevelsOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  of(place: number): Level {
    const open = this.#journal.state.cuts.entries();
    const [first] = open;
    if (place < (first ? first[1].from : this.#journal.state.position.uncut)) return "anchored";
    return open.find(([, { until }]) => place < until)?.[1].level ?? "stored";
  }

  /** Looks where the gateway's checkpoints are, and tells of what got further. Asks the chain for the times of blocks only. */
  async update(): Promise<void> {
    const { gateway, timeOf, reached } = this.#options;
    const { state } = this.#journal;
    for (const [name, cut] of state.cuts.entries()) {
      const at = gateway.whereabouts;
      const { placed, decided, published, final } = at;
      if (cut.sealed === undefined || placed < cut.sealed) return;
      const checkpoint = cut.checkpoint ?? decided - 1;
      const level: Level = final > checkpoint ? "anchored" : published > checkpoint ? "replicated" : "stored";
      if (cut.checkpoint === checkpoint && level === cut.level) continue;
      const block = level === "anchored" ? at.blockOf(checkpoint) : undefined;
      const mined = block === undefined ? {} : { block, blockTime: await timeOf(block) };
      const next: CutState = { ...cut, checkpoint, level, ...mined };
      await this.#journal.write(() => {
        if (level === "anchored") {
          state.past.set(name, next);
          state.cuts.delete(name);
        } else state.cuts.set(name, next);
      });
      for (const one of LEVELS.slice(LEVELS.indexOf(cut.level) + 1, LEVELS.indexOf(level) + 1))
        reached({ level: one, ranges: cut.ranges });
    }
    await this.#forget();
  }

  /** What is known of a message, undefined when it never came or is forgotten. */
  fateOf(device: string, counter: number): Fate | undefined {
    const seen = this.#journal.seen.get(device, counter);
    if (!seen) return undefined;
    if (seen.place === undefined) return { ...seen, level: "quarantined" };
    const { block, blockTime } = this.#pastOf(seen.place) ?? {};
    const mined = block === undefined || blockTime === undefined ? {} : { block, blockTime };
    return { ...seen, level: this.of(seen.place), ...mined };
  }

  /** The anchored cut that has a place; cuts and places rise together. */
  #pastOf(place: number): CutState | undefined {
    const { past, position } = this.#journal.state;
    let [low, high] = [position.remembered, position.cut];
    while (low < high) {
      const middle = (low + high) >> 1;
      const cut = past.get(inOrder(middle));
      if (!cut || place < cut.from) high = middle;
      else if (place >= cut.until) low = middle + 1;
      else return cut;
    }
    return undefined;
  }

  async #forget(): Promise<void> {
    const { state } = this.#journal;
    for (;;) {
      const number = state.position.remembered;
      const cut = state.past.get(inOrder(number));
      if (!cut || cut.over > this.#options.now() - REMEMBERED) return;
      await this.#journal.write(() => {
        for (const [device, ranges] of Object.entries(cut.ranges))
          for (const [from, to] of ranges) this.#journal.seen.forget(device, from, to);
        state.past.delete(inOrder(number));
        state.move({ remembered: number + 1 });
      });
    }
  }
}
