import { EXIT, MedSealError } from "../../src/errors.ts";

export interface Problem {
  readonly text: string;
  readonly hint: string | undefined;
  readonly exit: number;
}

/** What the system says no to, in words. */
const SYSTEM: Readonly<Record<string, readonly [text: string, hint: string, exit: number]>> = {
  ENOSPC: ["the disk is full", "make room, then give the command again", EXIT.unavailable],
  EDQUOT: ["your quota of the disk is used up", "make room, then give the command again", EXIT.unavailable],
  EIO: ["the disk does not answer", "look at the disk, then give the command again", EXIT.unavailable],
  EMFILE: ["too many files are open", "close some, then give the command again", EXIT.unavailable],
  EROFS: ["the disk can only be read", "set MEDSEAL_HOME to a folder that can be written", EXIT.notPermitted],
  EACCES: ["a file or folder may not be used", "look at the permissions of MEDSEAL_HOME", EXIT.notPermitted],
  EPERM: ["a file or folder may not be used", "look at the permissions of MEDSEAL_HOME", EXIT.notPermitted],
};

/** What to tell of an error. Of one that nobody foresaw only its kind: its text may hold anything. */
export function problemOf(error: unknown): Problem {
  if (error instanceof MedSealError) {
    const cause = systemCode(error.cause);
    const because = cause === undefined ? "" : `: ${SYSTEM[cause]?.[0] ?? cause}`;
    return { text: `${error.message}${because} (${error.code})`, hint: error.hint, exit: error.exit };
  }
  const known = SYSTEM[systemCode(error) ?? ""];
  if (known) return { text: `${known[0]} (${systemCode(error)})`, hint: known[1], exit: known[2] };
  if (process.env["MEDSEAL_DEBUG"]) throw error;
  return {
    text: `this is a fault of the program (${error instanceof Error ? error.name : typeof error})`,
    hint: "MEDSEAL_DEBUG=1 shows where; what it shows may hold private data",
    exit: EXIT.unrecoverable,
  };
}

/** `ENOSPC` and its like, of an error of the system. */
function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && code in SYSTEM ? code : undefined;
}
