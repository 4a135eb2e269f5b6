import { UsageError } from "../../src/errors.ts";
import { COMMON, type Command } from "../cli/command.ts";
import { VERBS } from "../cli/verbs.ts";

export const command: Command = {
  summary: "Prints completion of verbs and options for your shell",
  words: "bash|zsh|fish",
  options: {},
  examples: [
    ["completion bash >> ~/.bashrc", "bash; zsh takes the same in ~/.zshrc"],
    ["completion fish > ~/.config/fish/completions/medseal.fish", "fish"],
  ],
  async run(call) {
    const shell = call.word("shell");
    const verbs = await Promise.all([...VERBS.keys()].map(async (verb) => ({ verb, options: await optionsOf(verb) })));
    const script =
      shell === "fish" ? fish(verbs) : shell === "bash" || shell === "zsh" ? bash(verbs, shell) : undefined;
    if (script === undefined)
      throw new UsageError(`there is no completion for ${shell}`, { hint: "take bash, zsh or fish" });
    call.io.line(script);
  },
};

interface Verb {
  readonly verb: string;
  readonly options: readonly string[];
}

async function optionsOf(verb: string): Promise<string[]> {
  const { command: found } = (await import(`./${verb.replace(" ", "-")}.ts`)) as { command: Command };
  return [...Object.keys(found.options), ...Object.keys(COMMON)].map((name) => `--${name}`);
}

function bash(verbs: readonly Verb[], shell: "bash" | "zsh"): string {
  const firsts = [...new Set(verbs.map(({ verb }) => verb.split(" ")[0]))].join(" ");
  const families = [
    ...new Set(verbs.filter(({ verb }) => verb.includes(" ")).map(({ verb }) => verb.split(" ")[0] as string)),
  ];
  const seconds = families.map((family) => {
    const words = verbs.filter(({ verb }) => verb.startsWith(`${family} `)).map(({ verb }) => verb.split(" ")[1]);
    return `    "${family}") words="${words.join(" ")}" ;;`;
  });
  const options = verbs.map(({ verb, options: names }) => `    "${verb}"*) words="${names.join(" ")}" ;;`);
  return [
    ...(shell === "zsh" ? ["autoload -U +X bashcompinit && bashcompinit"] : []),
    "_medseal() {",
    '  local here="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  local before="${COMP_WORDS[*]:1:COMP_CWORD-1}"',
    '  case "$before" in',
    `    "") words="${firsts}" ;;`,
    ...seconds,
    ...options,
    "  esac",
    '  if [[ "$here" == -* || -z "$before" || " $words" != *" --"* ]]; then COMPREPLY=($(compgen -W "$words" -- "$here")); else COMPREPLY=($(compgen -f -- "$here")); fi',
    "}",
    "complete -o filenames -F _medseal medseal",
  ].join("\n");
}

function fish(verbs: readonly Verb[]): string {
  return verbs
    .flatMap(({ verb, options }) => {
      const [first, second] = verb.split(" ") as [string, string | undefined];
      const typed =
        second === undefined
          ? `__fish_seen_subcommand_from ${first}`
          : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
      const names = options.map((name) => `complete -c medseal -n '${typed}' -l ${name.slice(2)}`);
      const offer =
        second === undefined
          ? `complete -c medseal -n __fish_use_subcommand -a ${first} -d '${VERBS.get(verb)}'`
          : `complete -c medseal -n '__fish_seen_subcommand_from ${first}' -a ${second} -d '${VERBS.get(verb)}'`;
      return [
        ...(second === undefined ? [] : [`complete -c medseal -n __fish_use_subcommand -a ${first}`]),
        offer,
        ...names,
      ];
    })
    .join("\n");
}
