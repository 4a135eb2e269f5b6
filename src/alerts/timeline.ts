import { TooLateError } from "./errors.ts";
import { evaluate, type Evaluation } from "./evaluate.ts";
import type { Rule } from "./rule.ts";
import { REPORTS, START, type Observation, type State } from "./state.ts";

/** One alert as the readings known now tell it. */
export interface Episode {
  readonly raisedAt: number;
  /** Not there while it is active. */
  readonly clearedAt?: number;
  /** The highest level of a score card in it; not there for 0. */
  readonly level?: number;
}

/** All that a timeline knows, to go on from. */
export interface TimelinePast {
  /** Before the first observation that is remembered. */
  readonly state: State;
  /** Time of the last observation that is forgotten. */
  readonly forgotten: number;
  readonly earlier: readonly Episode[];
  /** By time. */
  readonly observations: readonly Observation[];
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
   * @param past - Of an earlier one of the same rule.
   */
  constructor(rule: Rule, lateness: number, past?: TimelinePast) {
    this.#rule = rule;
    this.#lateness = lateness;
    if (past === undefined) return;
    this.#state = past.state;
    this.#forgotten = past.forgotten;
    this.#earlier = [...past.earlier];
    for (const one of past.observations) this.#append(one);
  }

  get past(): TimelinePast {
    const observations = this.#blocks.flatMap((block) => block.observations);
    const state = this.#blocks[0]?.state ?? this.#state;
    return { state, forgotten: this.#forgotten, earlier: this.#earlier, observations };
  }

  /** As it stood at a time that is remembered, by what is known now. */
  stateAt(time: number): State {
    const block = this.#blocks.findLast(({ state }) => state.time < time) ?? this.#blocks[0];
    const before = (block?.observations ?? []).filter((one) => one.time < time);
    return evaluate(this.#rule, block?.state ?? this.#state, [...before, clockAt(time)]).state;
  }

  /** Those from `from` on and before `to`, by time, as far as they are remembered. */
  observations(from: number, to: number): readonly Observation[] {
    const within = this.#blocks.filter(
      ({ observations: all }) => (all[0] as Observation).time < to && (all.at(-1) as Observation).time >= from,
    );
    return within.flatMap(({ observations: all }) => all.filter(({ time }) => time >= from && time < to));
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
    const { state, result } = this.at(time);
    return joined([this.episodes, changed(this.#state, state, result.level)]);
  }

  /** Of the latest episode, as far as it was learnt lately: a change says that an episode may have become more severe. */
  get level(): number {
    return this.#blocks.at(-1)?.episodes.at(-1)?.level ?? 0;
  }

  /** What is to be said at a time, when nothing more has come. Silence shows here, so ask by the clock. */
  at(time: number): Evaluation {
    return evaluate(this.#rule, this.#state, [clockAt(Math.max(time, this.#state.time, 1))]);
  }

  /**
   * One that is known already is passed over: a device that sends again has not measured again.
   *
   * @returns whether it came late, so that what was said before may have changed.
   * @throws TooLateError when the observation lies behind what is remembered.
   * @throws NotOfRuleError
   */
  add(observation: Observation): boolean {
    if (observation.time < this.#state.time - this.#lateness || observation.time <= this.#forgotten) {
      throw new TooLateError();
    }
    const at = this.#blocks.findLastIndex(
      ({ observations: [head] }) => head !== undefined && order(observation, head) >= 0,
    );
    const [from, ...later] = this.#blocks.slice(Math.max(0, at));
    const last = (later.at(-1) ?? from)?.observations.at(-1);
    const late = last !== undefined && order(observation, last) < 0;
    if (from === undefined || !late) {
      if (last !== undefined && order(observation, last) === 0) return false;
      this.#append(observation);
    } else {
      const rest = [from, ...later].flatMap(({ observations }) => observations);
      const before = rest.findLastIndex((one) => order(observation, one) >= 0) + 1;
      const same = rest[before - 1];
      if (same !== undefined && order(observation, same) === 0) return false;
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
      const { state, result } = evaluate(this.#rule, this.#state, [one]);
      for (const episode of changed(this.#state, state, result.level)) add(block.episodes, episode);
      this.#state = state;
    }
  }

  /** Blocks that no observation can come before any more give way to the state behind them. */
  #forget(): void {
    const bound = this.#state.time - this.#lateness;
    // Half as much again is kept, so that a statement over a time in which something came late can be made anew.
    const kept = bound - this.#lateness / 2;
    for (let next = this.#blocks[1]; next !== undefined && next.state.time < kept; next = this.#blocks[1]) {
      this.#forgotten = next.state.time;
      const [gone] = this.#blocks.splice(0, 1) as [Block];
      this.#earlier = joined([this.#earlier, gone.episodes]).filter(
        ({ clearedAt }) => clearedAt === undefined || clearedAt >= bound,
      );
    }
  }
}

/** Says what time it is, and nothing else. */
export const clockAt = (time: number): Observation => ({ time, report: "clock", input: 0, mantissa: 0n, scale: 0 });

/** What one step, which changes `active` once at most, tells of an alert. */
function changed(before: State, after: State, level: number): readonly Episode[] {
  const { changedAt } = after;
  if (after.active)
    return before.active && level === 0 ? [] : [{ raisedAt: changedAt, ...(level === 0 ? {} : { level }) }];
  return before.active ? [{ raisedAt: before.changedAt, clearedAt: changedAt }] : [];
}

/** Each alert once, at its highest level: where it has ended, its beginning alone says no more. */
function joined(parts: readonly (readonly Episode[])[]): Episode[] {
  const all: Episode[] = [];
  for (const episode of parts.flat()) add(all, episode);
  return all;
}

function add(all: Episode[], episode: Episode): void {
  const open = all.at(-1);
  if (open === undefined || open.raisedAt !== episode.raisedAt || open.clearedAt !== undefined) {
    all.push(episode);
    return;
  }
  const level = Math.max(open.level ?? 0, episode.level ?? 0);
  all[all.length - 1] = { ...episode, ...(level === 0 ? {} : { level }) };
}

/** By time, then by content, so that the order of arrival is of no account. */
export const order = (a: Observation, b: Observation): number =>
  a.time - b.time ||
  a.input - b.input ||
  REPORTS.indexOf(a.report) - REPORTS.indexOf(b.report) ||
  a.scale - b.scale ||
  (a.mantissa < b.mantissa ? -1 : a.mantissa > b.mantissa ? 1 : 0);
