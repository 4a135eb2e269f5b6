import { MedSealError } from "../errors.ts";

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
