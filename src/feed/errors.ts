import { EXIT, MedSealError } from "../errors.ts";

/** A configuration that cannot be used. Names the member, never a secret. */
export class ConfigError extends MedSealError {
  readonly code = "ERR_CONFIG";
  override readonly exit = EXIT.usage;

  constructor(member: string, problem: string) {
    super(`gateway configuration, ${member}: ${problem}`, { hint: "docs/gateway.md says what may stand there" });
  }
}

/** Too little room is left on the disk for what is acknowledged to be sealed and anchored: nothing new is taken. */
export class DiskFullError extends MedSealError {
  readonly code = "ERR_DISK_FULL";
  override readonly exit = EXIT.unavailable;

  constructor() {
    super("the disk is full: readings are refused until there is room", { hint: "make room; what was stored is safe" });
  }
}
