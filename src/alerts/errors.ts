import { EXIT, MedSealError } from "../errors.ts";

/** A rule breaks a limit of `RuleLimits`, or sets something that its kind does not use. */
export class RuleInvalidError extends MedSealError {
  readonly code = "ERR_RULE_INVALID";
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`rule is not valid: ${field} ${problem}`, { hint: "docs/formats.md, section 25, lists what a rule may be" });
    this.field = field;
  }
}

/** An observation is older than the state that it is to follow. */
export class OutOfOrderError extends MedSealError {
  readonly code = "ERR_OUT_OF_ORDER";

  constructor() {
    super("the observation is older than the state", { hint: "evaluate its window again; a timeline does" });
  }
}

/** An observation or a state cannot belong to the rule. */
export class NotOfRuleError extends MedSealError {
  readonly code = "ERR_NOT_OF_RULE";
}

/** A reading is older than everything that a timeline still remembers. */
export class TooLateError extends MedSealError {
  readonly code = "ERR_TOO_LATE";

  constructor() {
    super("the reading is older than the lateness bound of the timeline", {
      hint: "evaluate from the anchored readings, as an audit does",
    });
  }
}

/** An alert or rule is asked for that is not there, or over. */
export class NoSuchAlertError extends MedSealError {
  readonly code = "ERR_NO_SUCH_ALERT";
}

/** A care plan would leave an alert without anybody who answers, or is not signed by the patient. */
export class PlanInvalidError extends MedSealError {
  readonly code = "ERR_PLAN_INVALID";

  constructor(problem: string) {
    super(`the care plan is not valid: ${problem}`, { hint: "medseal plan --help tells what a plan says" });
  }
}

/** What somebody answers to an alert does not count. */
export class AnswerRefusedError extends MedSealError {
  readonly code = "ERR_ANSWER_REFUSED";
}

/** A channel did not take a notice; it is tried again. */
export class DeliveryFailedError extends MedSealError {
  readonly code = "ERR_DELIVERY_FAILED";
  override readonly exit = EXIT.unavailable;
}
