import { MedSealError } from "../errors.ts";

/** A chunk's observation lies in another epoch than the chunk says. */
export class ChunkOutsideEpochError extends MedSealError {
  readonly code = "ERR_CHUNK_OUTSIDE_EPOCH";
}

/** More than one batch or header can hold; cut it into several. */
export class TooLargeError extends MedSealError {
  readonly code = "ERR_TOO_LARGE";
}

/** What was opened does not fit what it belongs to: another stream, number, root or digest. */
export class MismatchError extends MedSealError {
  readonly code = "ERR_MISMATCH";
}

/** A statement's signature is not its device's, or covers another chunk. */
export class SignatureInvalidError extends MismatchError {}
