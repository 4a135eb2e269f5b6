import type { ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable, Writable } from "node:stream";

/** A shell that runs one command after another, as somebody at a terminal does. */
export class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #text = "";
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#wake();
    });
    child.once("exit", () => {
      this.#ended = true;
      this.#wake();
    });
    child.stdin.write("exec 2>&1\n");
  }

  /** What the command printed, on stdout and stderr. @throws Error when the shell ends. */
  async run(command: string): Promise<string> {
    const mark = randomBytes(12).toString("hex");
    // In two parts, so that the echo of a shell with -v would not look like it.
    this.#child.stdin.write(`${command}\nprintf '%s%s\\n' ${mark.slice(0, 12)} ${mark.slice(12)}\n`);
    for (;;) {
      const at = this.#text.indexOf(mark);
      if (at !== -1) {
        const printed = this.#text.slice(0, at).replaceAll("\r\n", "\n");
        this.#text = this.#text.slice(at + mark.length + 1);
        return printed;
      }
      if (this.#ended) throw new Error(`the shell ended during: ${command}`);
      await new Promise<void>((wake) => (this.#wake = wake));
    }
  }

  end(): void {
    this.#child.stdin.end();
  }
}
