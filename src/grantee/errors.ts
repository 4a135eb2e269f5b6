import { EXIT, MedSealError } from "../errors.ts";

/** An envelope that opened but must not be used: its consent is not in force, for somebody else, or says less than it gives. */
export class ReleaseInvalidError extends MedSealError {
  readonly code = "ERR_RELEASE_INVALID";
}

/** The consent does not permit what was asked. */
export class NotPermittedError extends MedSealError {
  readonly code = "ERR_NOT_PERMITTED";
  override readonly exit = EXIT.notPermitted;
}
