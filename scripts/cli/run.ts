import { UsageError } from "../../src/errors.ts";
import { closest } from "./closest.ts";
import { helpOf, parseCall, type Command } from "./command.ts";
import type { Io } from "./io.ts";
import { GROUPS, VERBS } from "./verbs.ts";

/** Finds the verb, of one word or two, and runs it. @throws UsageError for one that does not exist, and what the verb throws. */
export async function run(args: readonly string[], io: Io): Promise<void> {
  const [first, second] = args;
  if (first === undefined || first === "--help" || first === "help") return io.line(overview().trimEnd());
  const verb = [`${first} ${second ?? ""}`, first].find((name) => VERBS.has(name));
  const family = [...VERBS].filter(([name]) => name.startsWith(`${first} `));
  if (verb === undefined && second === "--help" && family.length > 0)
    return io.line(family.map(([name, what]) => `  ${name.padEnd(20)} ${what}`).join("\n"));
  if (verb === undefined) throw unknown(first, second);
  const { command } = (await load(verb)) as { command: Command };
  const isStray = verb === first && second !== undefined && !second.startsWith("-") && command.words === undefined;
  if (isStray && family.length > 0) throw unknown(first, second);
  const call = parseCall(command, args.slice(verb.split(" ").length), io);
  if (call.flag("help")) return io.line(helpOf(verb, command).trimEnd());
  await command.run(call);
}

const load = (verb: string): Promise<unknown> => import(`../commands/${verb.replace(" ", "-")}.ts`);

function unknown(first: string, second = ""): UsageError {
  const names = [...VERBS.keys()];
  const family = names.filter((name) => name.startsWith(`${first} `));
  if (family.length > 0) {
    const near = second.startsWith("-") ? undefined : closest(`${first} ${second}`, family);
    return new UsageError(second === "" ? `${first} what?` : `there is no verb ${first} ${second}`, {
      hint: near === undefined ? `take one of ${family.join(", ")}` : `did you mean ${near}?`,
    });
  }
  const near =
    closest(
      first,
      names.map((name) => name.split(" ")[0] as string),
    ) ?? closest(`${first} ${second}`, names);
  return new UsageError(`there is no verb ${first}`, {
    hint: near === undefined ? "see medseal --help" : `did you mean ${near}?`,
  });
}

function overview(): string {
  const part = ([title, verbs]: [string, Readonly<Record<string, string>>]): string[] => [
    title,
    ...Object.entries(verbs).map(([verb, what]) => `  ${verb.padEnd(20)} ${what}`),
    "",
  ];
  return [
    "medseal VERB …: sealed medical readings, and who may read them",
    "",
    ...Object.entries(GROUPS).flatMap(part),
    "medseal VERB --help tells more, with examples. Everywhere: --as NAME, --passphrase-file FILE, --json, --yes.",
    "Exit codes: 0 done, 1 refused or verification failed, 2 usage, 3 not permitted, 4 unavailable, 5 unrecoverable.",
    "",
  ].join("\n");
}
