import { parseArgs } from "node:util";
import { UsageError } from "../../src/errors.ts";
import { closest } from "./closest.ts";
import type { Io } from "./io.ts";

export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** Placeholder of its value in help. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: boolean;
  readonly required?: boolean;
}

/** One verb. Its help is made from this alone. */
export interface Command {
  readonly summary: string;
  /** Words behind the verb, `FILE…` for one. */
  readonly words?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Real ones: what follows `medseal`, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  run(call: Call): Promise<void>;
}

export const COMMON: Readonly<Record<string, OptionSpec>> = {
  as: { type: "string", value: "NAME", help: "which of your identities acts; MEDSEAL_AS, or the only one there is" },
  "passphrase-file": {
    type: "string",
    value: "FILE",
    help: "its first line is the passphrase; MEDSEAL_PASSPHRASE_FILE",
  },
  json: { type: "boolean", help: "one object (or one a line) on stdout, nothing else" },
  help: { type: "boolean", help: "this text" },
};

/** What the user typed, and where answers go. */
export class Call {
  readonly io: Io;
  readonly words: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(io: Io, words: readonly string[], values: Readonly<Record<string, unknown>>) {
    this.io = io;
    this.words = words;
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  /** @throws UsageError when it is missing. */
  need(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is missing`, { hint: "see --help" });
    return value;
  }

  texts(name: string): readonly string[] {
    return (this.#values[name] as string[] | undefined) ?? [];
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** @throws UsageError when it is missing, or more words stand there. */
  word(what: string): string {
    const [word, ...more] = this.words;
    if (word === undefined || more.length > 0)
      throw new UsageError(`${word === undefined ? "no" : "more than one"} ${what} is named`, { hint: "see --help" });
    return word;
  }
}

/** @throws UsageError that names what was not understood, and what was probably meant. */
export function parseCall(command: Command, args: readonly string[], io: Io): Call {
  const specs = { ...COMMON, ...command.options };
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name !== undefined && !Object.hasOwn(specs, name)) {
      const near = closest(name, Object.keys(specs));
      throw new UsageError(`there is no option --${name}`, {
        hint: near === undefined ? "see --help" : `did you mean --${near}?`,
      });
    }
  }
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: command.words !== undefined });
  } catch (cause) {
    const text = (cause as Error).message.split(/[.\n]/)[0]?.toLowerCase() ?? "not understood";
    const [, option] = /^option '(--[^']+)' argument is ambiguous/.exec(text) ?? [];
    const dashed =
      option && new UsageError(`what follows ${option} begins with a dash`, { hint: `write ${option}=-5`, cause });
    throw dashed || new UsageError(text, { hint: "see --help", cause });
  }
  const call = new Call(io, parsed.positionals, parsed.values);
  if (!call.flag("help"))
    for (const [name, { required }] of Object.entries(command.options)) if (required) call.need(name);
  return call;
}

export function helpOf(verb: string, command: Command): string {
  const usage = Object.entries(command.options).map(([name, { type, value = "", required, multiple }]) => {
    const word = type === "boolean" ? `--${name}` : `--${name} ${value}`;
    return `${required ? word : `[${word}]`}${multiple ? "…" : ""}`;
  });
  const line = ([name, { value = "", help }]: [string, OptionSpec]): string =>
    `  --${`${name} ${value}`.trim().padEnd(24)} ${help}`;
  const examples = command.examples.flatMap(([text, what]) => [`  # ${what}`, `  medseal ${text}`]);
  return [
    `medseal ${verb} ${[command.words, ...usage].filter(Boolean).join(" ")}`.trim(),
    "",
    `${command.summary}.`,
    "",
    ...Object.entries(command.options).map(line),
    ...Object.entries(COMMON).map(line),
    "",
    "Examples",
    ...examples,
    "",
  ].join("\n");
}
