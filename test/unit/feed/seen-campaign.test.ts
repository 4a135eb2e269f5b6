import { expect } from "chai";
import { FeedJournal, type Arrival } from "../../../src/feed/state.ts";
import { inOrder, Journal } from "../../../src/state/journal.ts";
import type { RowChange } from "../../../src/state/rows.ts";
import { PaperRows } from "../../integration/rig.ts";
import { dice } from "../log/mutate.ts";

const SEED = process.env["MEDSEAL_SEED"] ?? String(Date.now());
const KEY = new Uint8Array(32).fill(3);
const STEPS = 200;
/** Long campaigns: `npm run test:deep -- storage`. */
const COURSES = Number(process.env["MEDSEAL_COURSES"] ?? 1);

/** Rows of which a commit may fail: with nothing written, or with all of it and nobody told. */
class FailingRows extends PaperRows {
  fails: "before" | "after" | undefined;

  override async apply(changes: readonly RowChange[]): Promise<void> {
    const { fails } = this;
    this.fails = undefined;
    if (fails === "before") throw new Error("nothing was written");
    await super.apply(changes);
    if (fails === "after") throw new Error("all was written");
  }
}

/** What a feed does with its book, in any order, and what the book should know. */
class Course {
  readonly known = new Map<string, Map<number, string>>();
  readonly #rows = new FailingRows();
  readonly #roll: (below: number) => number;
  readonly #devices: number;
  #journal = this.#opened();
  #taken = 0;

  constructor(label: string) {
    this.#roll = dice(label);
    this.#devices = [3, 40, 3000][this.#roll(3)] as number;
  }

  async step(): Promise<void> {
    if (this.#roll(12) === 0) this.#rows.fails = this.#roll(2) === 0 ? "before" : "after";
    const what = this.#roll(20);
    if (what < 15) await this.#take();
    else if (what < 18) await this.#seal();
    else this.reopen();
  }

  reopen(): void {
    this.#rows.fails = undefined;
    this.#journal = this.#opened();
  }

  check(): void {
    const { seen, state } = this.#journal;
    expect(state.position.folded).to.be.at.least(state.position.cleared);
    for (const [device, messages] of this.known) {
      const highest = Math.max(...messages.keys());
      expect(seen.device(device)).to.include({ messages: messages.size, highest });
      for (const [counter, digest] of messages) expect(seen.get(device, counter)?.digest).to.equal(digest);
    }
  }

  #opened(): FeedJournal {
    return new FeedJournal(new Journal(this.#rows, KEY));
  }

  /** As a commit of the intake: what is known already comes in no row. */
  async #take(): Promise<void> {
    const { state, seen } = this.#journal;
    const { rows: number } = state.position;
    const row = new Map<string, Arrival>();
    for (let left = this.#roll(this.#roll(4) === 0 ? 512 : 40); left >= 0; left--) {
      const [device, counter] = this.#some();
      const digest = this.known.get(device)?.get(counter);
      expect(seen.get(device, counter)?.digest, `${device}/${counter}`).to.equal(digest);
      if (digest === undefined) row.set(`${device}/${counter}`, this.#arrival(device, counter));
    }
    const came = [...row.values()];
    if (came.length === 0) return;
    let folded = (): void => undefined;
    const isDurable = await this.#write(
      () => {
        folded = seen.fold();
        state.rows.set(inOrder(number), came);
        state.move({ rows: number + 1 });
      },
      () => {
        folded();
        seen.keep(number, came);
        state.recent.add(number, came, 100 * came.length);
      },
    );
    if (!isDurable) return;
    for (const { device, counter, seen: one } of came)
      this.known.set(device, (this.known.get(device) ?? new Map<number, string>()).set(counter, one.digest));
  }

  /** As sealing: reads rows, puts what they remember on pages, and drops them now or later. */
  async #seal(): Promise<void> {
    const { state, seen } = this.#journal;
    const { uncutRow, rows } = state.position;
    const until = Math.min(rows, uncutRow + 1 + this.#roll(30));
    for (let row = uncutRow; row < until; row++) expect(state.rowAt(row)).to.have.length.above(0);
    while (state.position.folded < until && seen.loose > 0) {
      let folded = (): void => undefined;
      const isDone = await this.#write(
        () => void (folded = seen.fold(Math.max(0, seen.loose - 64))),
        () => folded(),
      );
      if (!isDone || state !== this.#journal.state) return;
    }
    const drop = this.#roll(2) === 0;
    await this.#write(() => {
      for (let row = state.position.cleared; drop && row < until; row++) state.rows.delete(inOrder(row));
      state.move({ uncutRow: until, ...(drop ? { cleared: until } : {}) });
    });
  }

  /** @returns whether it is on the disk; a gateway that was not told begins anew. */
  async #write(work: () => void, done?: () => void): Promise<boolean> {
    const { fails } = this.#rows;
    try {
      await this.#journal.write(work, done);
      return true;
    } catch {
      if (fails === "after") this.reopen();
      return fails === "after";
    }
  }

  #some(): [device: string, counter: number] {
    const device = `m${this.#roll(this.#roll(3) === 0 ? this.#devices : Math.min(5, this.#devices))}`;
    const next = (this.#journal.seen.device(device)?.highest ?? -1) + 1;
    const [usual, apart] = [this.#roll(20), this.#roll(300)];
    return [device, usual < 16 ? next + (apart % 3) : usual < 18 ? next + apart : Math.max(0, next - apart)];
  }

  #arrival(device: string, counter: number): Arrival {
    const digest = `digest ${this.#taken++}`;
    const seen = { digest, place: 0, received: 1, sent: undefined, skew: undefined, quarantined: 0 };
    return { device, counter, groups: [], seen };
  }
}

describe(`what a feed remembers, whatever fails (MEDSEAL_SEED=${SEED})`, () => {
  for (let i = 0; i < COURSES; i++)
    it(`is all that came and nothing else, course ${i}`, async () => {
      const course = new Course(`${SEED}/${i}`);
      for (let step = 1; step <= STEPS; step++) {
        await course.step();
        if (step % 50 === 0) course.check();
      }
      course.reopen();
      course.check();
      expect(course.known.size).to.be.above(0);
    });
});
