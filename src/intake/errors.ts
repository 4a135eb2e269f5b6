import { EXIT, MedSealError, type ExitCode } from "../errors.ts";

export type InputErrorCode =
  | "ERR_INPUT_UNREADABLE"
  | "ERR_INPUT_EMPTY"
  | "ERR_INPUT_ENCODING"
  | "ERR_INPUT_FORMAT"
  | "ERR_INPUT_COLUMNS"
  | "ERR_INPUT_UNIT"
  | "ERR_INPUT_LIMIT"
  | "ERR_INPUT_MAPPING"
  | "ERR_INPUT_CHANGED";

export interface InputProblem {
  readonly code: InputErrorCode;
  readonly file: string;
  /** 1-based. Left out where the problem is the file itself. */
  readonly line?: number;
  readonly reason: string;
  readonly hint?: string;
  readonly exit?: ExitCode;
  readonly cause?: unknown;
}

/** A file as a whole cannot be taken in. What concerns one row is a quarantined row, not an error. */
export class InputError extends MedSealError {
  readonly code: InputErrorCode;
  override readonly exit: ExitCode;
  readonly file: string;
  readonly line: number | undefined;
  readonly reason: string;

  constructor(problem: InputProblem) {
    const place = problem.line === undefined ? problem.file : `${problem.file}, line ${problem.line}`;
    super(`${place}: ${problem.reason}`, {
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
      cause: problem.cause,
    });
    this.code = problem.code;
    this.exit = problem.exit ?? EXIT.refused;
    this.file = problem.file;
    this.line = problem.line;
    this.reason = problem.reason;
  }
}
