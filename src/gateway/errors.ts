import { EXIT, MedSealError } from "../errors.ts";

/** The gateway holds no lease that lets it write this. */
export class NoLeaseError extends MedSealError {
  readonly code = "ERR_NO_LEASE";
  override readonly exit = EXIT.notPermitted;
}

/** The chain's head of this gateway is neither before nor after the checkpoint at hand: somebody else anchored for it. */
export class ForkedError extends MedSealError {
  readonly code = "ERR_FORKED";
  override readonly exit = EXIT.unrecoverable;
}
