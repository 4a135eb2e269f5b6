import { EXIT, MedSealError } from "../errors.ts";

/** The gateway holds no lease that lets it write this. */
export class NoLeaseError extends MedSealError {
  readonly code = "ERR_NO_LEASE";
  override readonly exit = EXIT.notPermitted;
}

/** The keys of the reading's epoch are forgotten: it is older than the lateness bound, or its import was closed. */
export class TooLateError extends MedSealError {
  readonly code = "ERR_TOO_LATE";
  override readonly exit = EXIT.notPermitted;

  constructor() {
    super("the keys of the reading's epoch are forgotten", {
      hint: "hand it to the patient, or ask for an import consent over its time",
    });
  }
}

/** A reading of a channel that the stream does not have. */
export class WrongChannelError extends MedSealError {
  readonly code = "ERR_WRONG_CHANNEL";

  constructor() {
    super("the reading is of a channel that the stream does not have", { hint: "check which stream it is for" });
  }
}

/** The chain's head of this gateway is neither before nor after a checkpoint at hand: somebody else anchored for it. */
export class ForkedError extends MedSealError {
  readonly code = "ERR_FORKED";
  override readonly exit = EXIT.unrecoverable;

  constructor() {
    super("the chain's head of this gateway is not one that its journal follows", {
      hint: "another gateway used this key, or the journal is an old copy; do not anchor until this is resolved",
    });
  }
}
