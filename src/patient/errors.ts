import { EXIT, MedSealError } from "../errors.ts";

/** A window that does not start and end on epoch bounds of a stream in scope. */
export class WindowError extends MedSealError {
  readonly code = "ERR_WINDOW";
  override readonly exit = EXIT.usage;
}

/** Keys are not released: the consent is not (or no longer, or not yet finally) in force. */
export class ReleaseRefusedError extends MedSealError {
  readonly code = "ERR_RELEASE_REFUSED";
  override readonly exit = EXIT.notPermitted;
}

/** The vault knows no such stream or consent. */
export class UnknownError extends MedSealError {
  readonly code = "ERR_UNKNOWN";
  override readonly exit = EXIT.usage;
}
