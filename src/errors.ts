/** What a command answers to the shell. One table for every tool, see README, "Exit codes". */
export const EXIT = { done: 0, refused: 1, usage: 2, notPermitted: 3, unavailable: 4, unrecoverable: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * Base of every error this package throws on purpose.
 *
 * Branch on `code`; `message` is for people: lower case, no full stop, and never health data, keys or addresses of people.
 * `hint` says what to do next.
 */
export abstract class MedSealError extends Error {
  abstract readonly code: `ERR_${string}`;
  readonly exit: ExitCode = EXIT.refused;
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** The caller's request cannot be understood as it stands. */
export class UsageError extends MedSealError {
  readonly code = "ERR_USAGE";
  override readonly exit = EXIT.usage;
}

/** Stored bytes do not follow their format. Names the format and the offset, never the content. */
export class MalformedError extends MedSealError {
  readonly code = "ERR_MALFORMED";
  readonly format: string;
  readonly offset: number;

  constructor(format: string, offset: number, problem: string) {
    super(`${format} is malformed at byte ${offset}: ${problem}`);
    this.format = format;
    this.offset = offset;
  }
}
