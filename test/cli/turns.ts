import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Ran } from "./world.ts";

const IN_TURN = resolve(import.meta.dirname, "in-turn.ts");

/** One command: its words, and what the environment has otherwise. */
export interface Turn {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A process that runs commands one after the other: most of what a command costs is the start of a process. */
export class Turns {
  readonly #child;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  /** @param folder - Where it stands. */
  constructor(folder: string, env: Readonly<Record<string, string | undefined>>) {
    this.#child = spawn(process.execPath, [IN_TURN], { cwd: folder, env, stdio: ["pipe", "pipe", "inherit"] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** A variable that is undefined is not set. @throws Error when the process ends in between. */
  run(turn: Turn): Promise<Ran> {
    const ran = this.#last.then(async () => {
      this.#child.stdin.write(`${JSON.stringify(turn, (_, value: unknown) => value ?? null)}\n`);
      const answer = await this.#answers.next();
      if (answer.done) throw new Error(`the process ended during: medseal ${turn.words.join(" ")}`);
      return JSON.parse(answer.value) as Ran;
    });
    this.#last = ran.catch(() => undefined);
    return ran;
  }

  async end(): Promise<void> {
    await this.#last;
    const closed = this.#child.exitCode === null ? once(this.#child, "close") : undefined;
    this.#child.stdin.end();
    await closed;
  }
}
