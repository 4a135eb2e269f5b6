import { TooLateError } from "./errors.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import type { Rule } from "./rule.ts";
import { REPORTS, START, type Observation, type State } from "./state.ts";

/** One alert as the readings known now tell it. */
export interface Episode {
  readonly raisedAt: number;
  /** Not there while it is active. */
  readonly clearedAt?: number;
}

/** Observations between two states that are kept. */
const BLOCK = 64;

interface Block {
  /** Before the first observation. */
  readonly state: State;
  readonly observations: Observation[];
  readonly episodes: Episode[];
}

/**
 * One rule over the observations of one patient, in whatever order they come: a late one has the window that it belongs
 * to evaluated again. The outcome is that of the same observations in the order of their times.
 */
export class Timeline {
  readonly #rule: Rule;
  readonly #lateness: number;
  /** In the order of time, none empty; all but the last are full. */
  #blocks: Block[] = [];
  #state: State = START;
  /** Time of the last observation before the first block. */
  #forgotten = 0;
  /** Alerts that began before the first block. */
  #earlier: Episode[] = [];

  /**
   * @param rule - Valid.
   * @param lateness - Milliseconds that an observation may lie behind the latest one.
   */
  constructor(rule: Rule, lateness: number) {
    this.#rule = rule;
    this.#lateness = lateness;
  }

  /** After the latest observation. */
  get state(): State {
    return this.#state;
  }

  /** The alerts of the last `lateness` milliseconds at least, by time. */
  get episodes(): readonly Episode[] {
    return joined([this.#earlier, ...this.#blocks.map(({ episodes }) => episodes)]);
  }

  /** The same, as they stand at a time, when nothing more has come. */
  episodesAt(time: number): readonly Episode[] {
    const { state } = this.at(time);
    return joined([this.episodes, changed(this.#state, state)]);
  }

  /** What is to be said at a time, when nothing more has come. Silence shows here, so ask by the clock. */
  at(time: number): Evaluation {
    const clock = {
      time: Math.max(time, this.#state.time, 1),
      report: "clock",
      input: 0,
      mantissa: 0n,
      scale: 0,
    } as const;
    return evaluate(this.#rule, this.#state, [clock]);
  }

  /**
   * @returns whether it came late, so that what was said before may have changed.
   * @throws TooLateError when the observation lies behind what is remembered.
   * @throws NotOfRuleError
   */
  add(observation: Observation): boolean {
    if (observation.time < this.#state.time - this.#lateness || observation.time <= this.#forgotten) {
      throw new TooLateError();
    }
    const at = this.#blocks.findLastIndex(
      ({ observations: [head] }) => head !== undefined && !isBefore(observation, head),
    );
    const [from, ...later] = this.#blocks.slice(Math.max(0, at));
    const last = (later.at(-1) ?? from)?.observations.at(-1);
    const late = last !== undefined && isBefore(observation, last);
    if (from === undefined || !late) this.#append(observation);
    else {
      const rest = [from, ...later].flatMap(({ observations }) => observations);
      const before = rest.findLastIndex((one) => !isBefore(observation, one)) + 1;
      this.#blocks.splice(Math.max(0, at));
      this.#state = from.state;
      for (const one of rest.toSpliced(before, 0, observation)) this.#append(one);
    }
    this.#forget();
    return late;
  }

  #append(observation: Observation): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.observations.length === BLOCK) {
      block = { state: this.#state, observations: [], episodes: [] };
      this.#blocks.push(block);
    }
    block.observations.push(observation);
    // What time alone has brought about comes first, so that each of the two steps changes `active` once at most.
    for (const one of [{ ...observation, report: "clock" } as const, observation]) {
      const { state } = evaluate(this.#rule, this.#state, [one]);
      block.episodes.push(...changed(this.#state, state));
      this.#state = state;
    }
  }

  /** Blocks that no observation can come before any more give way to the state behind them. */
  #forget(): void {
    const bound = this.#state.time - this.#lateness;
    for (let next = this.#blocks[1]; next !== undefined && next.state.time < bound; next = this.#blocks[1]) {
      this.#forgotten = next.state.time;
      const [gone] = this.#blocks.splice(0, 1) as [Block];
      this.#earlier = joined([this.#earlier, gone.episodes]).filter(
        ({ clearedAt }) => clearedAt === undefined || clearedAt >= bound,
      );
    }
  }
}

/** What one step, which changes `active` once at most, tells of an alert. */
function changed(before: State, after: State): readonly Episode[] {
  if (after.active === before.active) return [];
  const { changedAt } = after;
  return [after.active ? { raisedAt: changedAt } : { raisedAt: before.changedAt, clearedAt: changedAt }];
}

/** Each alert once: where it has ended, its beginning alone says no more. */
const joined = (parts: readonly (readonly Episode[])[]): Episode[] =>
  parts.flat().reduce<Episode[]>((all, episode) => {
    const open = all.at(-1);
    if (open !== undefined && open.raisedAt === episode.raisedAt && open.clearedAt === undefined) all.pop();
    return [...all, episode];
  }, []);

/** By time, then by content, so that the order of arrival is of no account. */
const isBefore = (a: Observation, b: Observation): boolean =>
  (a.time - b.time ||
    a.input - b.input ||
    REPORTS.indexOf(a.report) - REPORTS.indexOf(b.report) ||
    a.scale - b.scale ||
    (a.mantissa < b.mantissa ? -1 : a.mantissa > b.mantissa ? 1 : 0)) < 0;
