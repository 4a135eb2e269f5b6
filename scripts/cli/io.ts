import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { visible } from "../../src/bytes/visible.ts";
import { EXIT, MedSealError, UsageError } from "../../src/errors.ts";

/** Somebody would have to be asked, and nobody is there. */
export class NobodyThereError extends MedSealError {
  readonly code = "ERR_NOBODY_THERE";
  override readonly exit = EXIT.usage;
}

/** The person at the terminal said no. */
export class DeclinedError extends MedSealError {
  readonly code = "ERR_DECLINED";

  constructor() {
    super("not confirmed: nothing was done");
  }
}

/** The terminal. Results go to stdout, all other talk to stderr. */
export class Io {
  readonly json: boolean;
  readonly #yes: boolean;

  constructor({ json, yes }: { json: boolean; yes: boolean }) {
    this.json = json;
    this.#yes = yes;
  }

  /** The answer of the command: an object for programs, lines for people. */
  result(value: object, ...lines: readonly string[]): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : shownLines(lines));
  }

  /** A line of a longer answer, as it is: of our own, or for programs. */
  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Data as they are; on a terminal without what would move its cursor. */
  data(text: string): void {
    process.stdout.write(process.stdout.isTTY ? text.replace(/[^\r\n]+/g, visible) : text);
  }

  note(...lines: readonly string[]): void {
    process.stderr.write(shownLines(lines));
  }

  /** Replaces itself on a terminal, and is silent elsewhere. */
  progress(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${visible(text)}`);
  }

  progressDone(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
  }

  /** @throws DeclinedError; NobodyThereError without a terminal and without --yes. */
  async confirm(question: string): Promise<void> {
    if (this.#yes) return;
    const answer = await this.#ask(`${visible(question)} [y/N] `, true, "add --yes to confirm without being asked");
    if (!/^y(es)?$/i.test(answer.trim())) throw new DeclinedError();
  }

  /** Without showing what is typed. @throws NobodyThereError without a terminal. */
  secret(question: string): Promise<string> {
    return this.#ask(question, false, "name a file with --passphrase-file");
  }

  async #ask(question: string, shown: boolean, hint: string): Promise<string> {
    if (!process.stdin.isTTY || !process.stderr.isTTY)
      throw new NobodyThereError("there is no terminal to ask at", { hint });
    let quiet = false;
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!quiet) process.stderr.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input: process.stdin, output, terminal: true });
    try {
      return await new Promise<string>((done, failed) => {
        lines.once("SIGINT", () => failed(new DeclinedError()));
        lines.question(question, done);
        quiet = !shown;
      });
    } finally {
      lines.close();
      if (!shown) process.stderr.write("\n");
    }
  }
}

const shownLines = (lines: readonly string[]): string => lines.map((line) => `${visible(line)}\n`).join("");

/** @throws UsageError for no name. */
export function userPath(file: string): string {
  if (file === "") throw new UsageError("a file name is empty");
  return resolve(file);
}
