import { expect } from "chai";
import { evaluate, type Evaluation } from "../../src/alerts/evaluate.ts";
import { KINDS, type Band, type Input, type Kind, type Rule } from "../../src/alerts/rule.ts";
import {
  REPORTS,
  START,
  STATUSES,
  type Observation,
  type Report,
  type State,
  type Status,
} from "../../src/alerts/state.ts";
import type { RuleJudge } from "../../src/chain/rules.ts";
import { Draw } from "../contracts/campaign/draw.ts";
import { BEGIN, heartRate, ruleOf } from "../unit/alerts/samples.ts";

/** Who answers for the contract. */
export type Judge = Pick<RuleJudge, "evaluate">;

/** What a campaign saw, so that one that tests nothing shows. */
export interface RulesCampaign {
  readonly cases: number;
  readonly refused: number;
  readonly raised: Readonly<Record<Kind, number>>;
  readonly cleared: number;
  readonly statuses: Readonly<Record<Status, number>>;
}

/** What TypeScript refuses an observation with, by the name of the contract's error. */
const REFUSALS = new Map([
  ["OutOfOrderError", "ObservationOutOfOrder"],
  ["NotOfRuleError", "ObservationInvalid"],
]);

/**
 * Random rules of every kind over random observations near their edges, in one to four parts: the contract and its twin
 * must agree on every state and result, and on what they refuse.
 *
 * @param cases - Evaluations that are compared.
 */
export async function rulesCampaign(judge: Judge, cases: number, seed: number): Promise<RulesCampaign> {
  const draw = new RuleDraw(seed);
  const raised = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  const statuses = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
  let [refused, cleared] = [0, 0];
  for (let done = 0; done < cases;) {
    const rule = randomRule(draw);
    let state: State = START;
    let time = BEGIN;
    for (let parts = draw.between(1, 4); parts > 0 && done < cases; parts--) {
      // Mostly with a value of every input to begin with, or rules of several inputs would seldom measure anything.
      const whole =
        state === START && draw.chance(0.8) ? rule.inputs.map((_, i) => randomValue(draw, rule, i, time)) : [];
      const observations = [
        ...whole,
        ...Array.from({ length: draw.between(0, 8) }, () => randomObservation(draw, rule, (time += draw.gap(rule)))),
      ];
      const spoilt = observations.length > 0 && draw.chance(0.03) ? spoil(draw, observations) : observations;
      const [here, there] = [attempt(() => evaluate(rule, state, spoilt)), judge.evaluate(rule, state, spoilt)];
      const label = `case ${done++} of seed ${seed}`;
      if (here instanceof Error) {
        const reason = await there.then(
          () => "accepted",
          (error: unknown) => (error as { reason?: string }).reason,
        );
        expect(reason, label).to.equal(REFUSALS.get(here.name));
        refused += 1;
        break;
      }
      expect(await there, label).to.deep.equal(here);
      raised[rule.kind] += here.state.alerts - state.alerts;
      cleared += state.active && !here.state.active ? 1 : 0;
      statuses[here.result.status] += 1;
      state = here.state;
    }
  }
  return { cases, refused, raised, cleared, statuses };
}

function attempt(evaluation: () => Evaluation): Evaluation | Error {
  try {
    return evaluation();
  } catch (error) {
    return error as Error;
  }
}

/** Reports without a value, those that end a pause more often than those that begin one. */
const SAID: readonly Report[] = [...REPORTS.slice(1), "missing", "clock", "resumed", "resumed", "resumed"];

class RuleDraw extends Draw {
  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Until the next observation: mostly the usual, sometimes exactly at, or a millisecond off, an edge of the rule. */
  gap(rule: Rule): number {
    const input = this.of(rule.inputs);
    const edges = [input.maxAge, rule.trigger.raiseAfter, rule.trigger.clearAfter, rule.window, rule.minSpan];
    if (rule.kind === "absence") edges.push(Number(rule.trigger.threshold));
    if (this.chance(0.25)) return Math.max(0, this.of(edges) + this.between(-1, 1));
    return this.of([0, 1, 250, 1000, 1000, 1000, 5000, 11_000]);
  }
}

function randomRule(draw: RuleDraw): Rule {
  const kind = draw.of(KINDS);
  const usual = ruleOf(kind);
  const duration = (): number => (kind === "absence" ? 0 : draw.of([0, 0, 1, 2000, 10_000]));
  const [least, most] = kind === "score" ? [1, 4] : [usual.inputs.length, usual.inputs.length];
  const count = draw.between(least, most);
  const readings = kind === "count" ? draw.between(1, 8) : 0;
  const responses = kind === "score" ? randomResponses(draw) : [];
  const threshold = {
    threshold: () => BigInt(draw.between(-5, 5)),
    count: () => BigInt(draw.between(1, readings)),
    rate: () => BigInt(draw.between(-30, 30)),
    difference: () => BigInt(draw.between(0, 6)),
    absence: () => BigInt(draw.of([1, 5000, 30_000])),
    score: () => BigInt(draw.between(1, responses.at(-1)?.level ?? 1)),
  }[kind]();
  const window = usual.window === 0 ? 0 : draw.of([1, 63, 1000, 10_000]);
  const free = kind === "threshold" || kind === "rate" || kind === "difference";
  return {
    ...usual,
    inputs: Array.from({ length: count }, () => randomInput(draw, kind, count)),
    trigger: {
      comparator: free && draw.chance(0.4) ? "atMost" : "atLeast",
      threshold,
      hysteresis: BigInt(
        free ? draw.of([0, 0, 1, 3]) : kind === "absence" ? 0 : draw.between(0, Number(threshold) - 1),
      ),
      raiseAfter: duration(),
      clearAfter: duration(),
    },
    readings,
    responses,
    window,
    minSpan: usual.minSpan === 0 ? 0 : draw.between(1, window),
    per: usual.per === 0 ? 0 : draw.of([1, 1000, 60_000]),
  };
}

function randomInput(draw: RuleDraw, kind: Kind, inputs: number): Input {
  const band = (): Band => {
    const low = draw.between(-6, 6);
    const plain = { low: BigInt(low), high: BigInt(low + draw.between(0, 5)), score: draw.between(0, 3) };
    if (kind !== "score" || draw.chance(0.4)) return plain;
    return { ...plain, when: { input: draw.between(0, inputs - 1), low: -2n, high: BigInt(draw.between(-2, 4)) } };
  };
  const scored = kind === "score" || kind === "count";
  return {
    ...heartRate,
    digits: draw.between(0, 2),
    maxAge: draw.of([1000, 10_000, 60_000]),
    bands: scored ? Array.from({ length: draw.between(1, 5) }, band) : [],
  };
}

const randomResponses = (draw: RuleDraw): Rule["responses"] =>
  Array.from({ length: draw.between(1, 4) }, (_, i) => ({
    total: draw.between(0, 6),
    single: draw.between(1, 3),
    level: 2 * i + draw.between(1, 2),
  }));

function randomObservation(draw: RuleDraw, rule: Rule, time: number): Observation {
  const input = draw.between(0, rule.inputs.length - 1);
  if (draw.chance(0.3)) return { time, report: draw.of(SAID), input, mantissa: 0n, scale: 0 };
  return randomValue(draw, rule, input, time);
}

/** Around zero in the input's digits, with up to four digits more to be rounded: halves and their neighbours. */
function randomValue(draw: RuleDraw, rule: Rule, input: number, time: number): Observation {
  const digits = rule.inputs[input]?.digits ?? 0;
  const more = draw.between(0, 4);
  const fine = more === 0 ? 0 : draw.of([0, 5 * 10 ** (more - 1), 5 * 10 ** (more - 1) - 1, 10 ** more - 1]);
  const near = draw.of([draw.between(-8, 8), draw.between(-3, 3)]) * 10 ** more + draw.of([-1, 1]) * fine;
  const mantissa = draw.chance(0.01) ? draw.of([2n ** 63n - 1n, -(2n ** 63n)]) : BigInt(near);
  return { time, report: "value", input, mantissa, scale: digits + more };
}

function spoil(draw: RuleDraw, observations: readonly Observation[]): readonly Observation[] {
  const at = draw.between(0, observations.length - 1);
  const one = observations[at] as Observation;
  return observations.with(
    at,
    draw.of([
      { ...one, time: BEGIN - 1 },
      { ...one, time: 0 },
      { ...one, input: 200 },
      { ...one, scale: 19 },
    ]),
  );
}
