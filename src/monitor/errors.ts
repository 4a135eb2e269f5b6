import { EXIT, MedSealError } from "../errors.ts";

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
