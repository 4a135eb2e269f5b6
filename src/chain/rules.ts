import {
  named,
  observationFields,
  ruleFields,
  stateFields,
  stateFrom,
  type Decoded,
  type StateStruct,
} from "../alerts/abi.ts";
import type { Evaluation } from "../alerts/evaluate.ts";
import { checkRule } from "../alerts/limits.ts";
import type { Rule } from "../alerts/rule.ts";
import { STATUSES, type Observation, type State } from "../alerts/state.ts";
import { hex0x } from "../bytes/bytes.ts";
import type { Hex } from "../consent/consent.ts";
import { evaluatorInterface } from "./contracts.ts";
import { InProcessContract } from "./in-process.ts";

/**
 * Evaluates rules by the contract's own code in this process, which settles every dispute about an evaluation. The
 * evaluator has no storage; readings and states reach no node.
 */
export class RuleJudge {
  readonly #evaluator: InProcessContract;

  private constructor(evaluator: InProcessContract) {
    this.#evaluator = evaluator;
  }

  /** @param code - RuleEvaluator's, checked by the caller against the hash that was pinned at deployment. */
  static async create(code: Hex, at: { readonly chainId: number; readonly address: Hex }): Promise<RuleJudge> {
    return new RuleJudge(await InProcessContract.create("RuleEvaluator", evaluatorInterface, code, at));
  }

  /** @throws RuleInvalidError; ContractRefusedError when an observation or the state does not fit. */
  async evaluate(rule: Rule, state: State, observations: readonly Observation[]): Promise<Evaluation> {
    return decodeEvaluation(await this.#evaluator.call(encodeQuestion(rule, state, observations)));
  }
}

/**
 * Calldata of `RuleEvaluator.evaluate`: clear text, for an EVM in this process only.
 *
 * @throws RuleInvalidError
 */
export function encodeQuestion(rule: Rule, state: State, observations: readonly Observation[]): Hex {
  checkRule(rule);
  const question = [ruleFields(rule), stateFields(state), observations.map(observationFields)] as const;
  return evaluatorInterface.encodeFunctionData("evaluate", [...question]) as Hex;
}

/** What `RuleEvaluator.evaluate` has returned. */
export function decodeEvaluation(answer: Uint8Array): Evaluation {
  const [after, result] = evaluatorInterface.decodeFunctionResult("evaluate", hex0x(answer));
  return { state: stateFrom(after as Decoded<StateStruct>), result: resultFrom(result as ResultFields) };
}

interface ResultFields {
  readonly status: bigint;
  readonly measured: boolean;
  readonly measure: bigint;
  readonly level: bigint;
  readonly active: boolean;
}

const resultFrom = ({ status, measured, measure, level, active }: ResultFields): Evaluation["result"] => ({
  status: named(STATUSES, status),
  measured,
  measure,
  level: Number(level),
  active,
});
